/** The Python environments that are measured, made where they are missing. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { ROOT, say } from './machine.ts'

export interface Environments {
  /** Everything that the tests use, Celery included. */
  readonly full: string
  /** Django and the web servers. */
  readonly small: string
  /** The original package, by version. */
  readonly originals: readonly { readonly version: string; readonly python: string }[]
}

const ORIGINALS = ['2.4.0', '3.0.0']

export function ensureEnvironments(): Environments {
  return {
    full: process.env['PRODSERVER_TEST_PYTHON'] || madeByTests() || ensure('full', 'scripts/requirements-test.txt'),
    small: ensure('small', 'bench/requirements-small.txt'),
    originals: ORIGINALS.map((version) => ({
      version,
      python: ensure(`original-${version}`, `bench/requirements-original-${version}.txt`),
    })),
  }
}

function madeByTests(): string | undefined {
  const python = join(ROOT, '.venv-test', 'bin', 'python')
  const complete = spawnSync(python, ['-c', 'import celery, django, gunicorn, uvicorn, waitress']).status === 0
  return complete ? python : undefined
}

function ensure(name: string, requirements: string): string {
  const folder = join(ROOT, 'bench', '.cache', name)
  const python = join(folder, 'bin', 'python')
  // Written last, so a folder without it is an unfinished one.
  const stamp = join(folder, 'made-from.txt')
  const wanted = [requirements, 'scripts/requirements-example.txt'].map((file) =>
    readFileSync(join(ROOT, file), 'utf8'),
  )
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted.join('')) return python
  say(`creating ${relative(ROOT, folder)} from ${requirements}`)
  rmSync(folder, { recursive: true, force: true })
  setUp('python3', ['-m', 'venv', folder])
  setUp(python, ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '-r', requirements])
  writeFileSync(stamp, wanted.join(''))
  return python
}

function setUp(command: string, args: readonly string[]): void {
  const { error, status } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (error) throw error
  if (status !== 0) throw new Error(`${basename(command)} ${args.join(' ')} failed`)
}
