/**
 * `npm test`: everything that a test needs, then pytest for the unit tests of the Python code and Node's test runner
 * for all other tests.
 *
 * `npm test -- FILE...` runs only those files. Options are for Node's test runner (`--test-name-pattern=web`).
 */
import { join } from 'node:path'
import { ensureBrokers } from './setup/brokers.mjs'
import { ensureBuild } from './setup/build.mjs'
import { ensureCheckEnvironment } from './setup/check-environment.mjs'
import { become, run } from './setup/command.mjs'
import { environment, root } from './setup/environment.mjs'
import { ensureNodePackages } from './setup/node-packages.mjs'
import { ensureEnvironment } from './setup/python-environment.mjs'
import { main, step } from './setup/steps.mjs'
import { ensureTestPackages } from './setup/test-packages.mjs'

const everything = ['src/**/*.spec.ts', 'test/**/*.spec.ts']
const given = process.argv.slice(2)
const options = given.filter((argument) => argument.startsWith('-'))
const files = given.filter((argument) => !argument.startsWith('-'))
const isPython = (/** @type {string} */ path) => path.endsWith('.py') || path.startsWith('test/python')
const pythonFiles = files.filter(isPython)
const specs = files.filter((file) => !isPython(file))

await main(async () => {
  process.chdir(root)
  const node = await ensureNodePackages()
  if (given.length === 0 || pythonFiles.length > 0) await testPython()
  if (pythonFiles.length > 0 && specs.length === 0) return 0
  await ensureBuild()
  const full = await ensureEnvironment(join(root, '.venv-test'), join(root, 'scripts', 'requirements-test.txt'))
  const older = await ensureEnvironment(join(root, '.venv-older'), join(root, 'scripts', 'requirements-older.txt'))
  const bare = await ensureEnvironment(join(root, '.venv-bare'))
  await ensureBrokers()
  await ensureTestPackages()
  const runner = [node, '--test', '--test-concurrency=2', ...options, ...(specs.length > 0 ? specs : everything)]
  return become(
    runner,
    environment({
      PRODSERVER_TEST_PYTHON: full.python,
      PRODSERVER_TEST_OLDER_PYTHON: older.python,
      PRODSERVER_TEST_BARE_PYTHON: bare.python,
    }),
  )
})

async function testPython() {
  const pytest = join(await ensureCheckEnvironment(), 'pytest')
  await step('testing the Python code (pytest)', () => run('pytest', [pytest, ...pythonFiles]))
}
