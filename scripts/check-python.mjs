/**
 * The Python part of `npm run check`: format, lint and types, and whether Python 3.8 has everything that code for a
 * project's interpreter uses.
 */
import { join } from 'node:path'
import { ensureCheckEnvironment } from './setup/check-environment.mjs'
import { run } from './setup/command.mjs'
import { root } from './setup/environment.mjs'
import { main, step } from './setup/steps.mjs'

/**
 * Each check's log and command.
 * @type {Record<string, [tool: string, ...args: string[]]>}
 */
const CHECKS = {
  'python-format': ['ruff', 'format', '--check', '--quiet'],
  'python-lint': ['ruff', 'check', '--quiet'],
  'python-types': ['mypy'],
  'python-oldest': ['vermin', '--target=3.8-', '--violations', '--quiet', '--no-tips', 'src', 'python'],
}

await main(async () => {
  process.chdir(root)
  const programs = await ensureCheckEnvironment()
  await step('checking the Python code (ruff, mypy, vermin)', () =>
    Promise.all(Object.entries(CHECKS).map(([log, [tool, ...args]]) => run(log, [join(programs, tool), ...args]))),
  )
})
