import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { BARE_PYTHON, PYTHON } from './environment.ts'
import { run } from './running.ts'

/** An interpreter that has Django and what Django needs, these packages, and nothing else. */
export async function onlyDjango(t: TestContext, ...more: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-environment-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await succeeds(t, BARE_PYTHON, ['-m', 'venv', '--without-pip', folder])
  const python = join(folder, 'bin', 'python')
  const packages = await succeeds(t, PYTHON, [
    '-c',
    'import sys; from importlib.util import find_spec as find; print(*(p for m in sys.argv[1:] for p in find(m).submodule_search_locations), sep="\\n")',
    'asgiref',
    'django',
    'sqlparse',
    ...more,
  ])
  const site = await succeeds(t, python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'])
  for (const path of packages.trim().split('\n')) symlinkSync(path, join(site.trim(), basename(path)))
  return python
}

async function succeeds(t: TestContext, command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(t, command, args)
  assert.equal(code, 0, stderr)
  return stdout
}
