import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
/** The built program: what users run is what is tested. */
export const BIN: string = join(ROOT, 'dist', 'bin.js')
/** The example project. */
export const EXAMPLE: string = join(ROOT, 'example')

/** The interpreter with every server installed; `npm test` makes it. */
export const PYTHON: string = required('PRODSERVER_TEST_PYTHON')
/** An interpreter with servers of older versions. */
export const OLDER_PYTHON: string = required('PRODSERVER_TEST_OLDER_PYTHON')
/** An interpreter with nothing installed. */
export const BARE_PYTHON: string = required('PRODSERVER_TEST_BARE_PYTHON')

/** Packages of npm that Node backends are tested with; `npm test` installs them. */
export const NODE_PACKAGES: string = join(ROOT, '.packages-test', 'node_modules')

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set. Run the tests with: npm test`)
  return value
}

/** The full path of a program: on PATH, or where packages put servers, which not every PATH has. */
export function findProgram(program: string): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    '/opt/homebrew/sbin',
    ...versionsOf('/usr/lib/postgresql').map((version) => join(version, 'bin')),
  ]
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

const versionsOf = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version)) : []

/**
 * Says whether a program is installed. Where it is not, the test is skipped with a loud line on a person's machine,
 * and fails in CI.
 */
export function hasProgram(t: TestContext, program: string, install: string): boolean {
  const found = findProgram(program) !== undefined
  if (found) return true
  const line = `${program} is not installed: "${t.name}" is not tested. Install it with: ${install}`
  if (process.env['CI']) throw new Error(line)
  process.stderr.write(`\n! ${line}\n\n`)
  t.skip(line)
  return false
}

/** The environment of a program under test: this machine's, without what would change which project it finds. */
export function cleanEnv(extra: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const hidden =
    /^(DJANGO_|PRODSERVER_|VIRTUAL_ENV|CONDA_|PYTHON|(ASYNC_|FRONTEND_)?PORT$|DATA(BASE)?_|CELERY_|NO_COLOR|FORCE_COLOR|WEB_CONCURRENCY|npm_|NODE_TEST)/
  const entries = [...Object.entries(process.env).filter(([name]) => !hidden.test(name)), ...Object.entries(extra)]
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
