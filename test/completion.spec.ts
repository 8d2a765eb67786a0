import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { BIN, PYTHON } from './support/environment.ts'
import { createProject, writeFiles } from './support/project.ts'
import { prodserver, run } from './support/running.ts'

const settings =
  'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}, "worker": {"BACKEND": "command", "APP": "true"}}'

/** A project with `prodserver` on the path, as a shell would find it. */
function shellProject(t: TestContext): { cwd: string; env: Record<string, string> } {
  const cwd = createProject(t, { settings })
  mkdirSync(join(cwd, 'bin'))
  writeFiles(cwd, { 'bin/prodserver': `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n` })
  chmodSync(join(cwd, 'bin', 'prodserver'), 0o755)
  return { cwd, env: { PATH: `${join(cwd, 'bin')}:${process.env['PATH']}`, PRODSERVER_PYTHON: PYTHON } }
}

const completions: readonly (readonly [words: string, expected: readonly string[]])[] = [
  ['prodserver ru', ['run']],
  ['prodserver we', ['web']],
  ['prodserver run w', ['web', 'worker']],
  ['prodserver show --js', ['--json']],
  ['prodserver run --answer', []],
]

for (const [words, expected] of completions) {
  test(`bash completes ${JSON.stringify(words)} to ${JSON.stringify(expected)}`, async (t) => {
    const parts = words.split(' ')
    const script = `source <(prodserver completion bash); COMP_WORDS=(${words}); COMP_CWORD=${parts.length - 1}; _prodserver; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await run(t, 'bash', ['-c', script], shellProject(t))
    assert.deepEqual(stdout.trim().split('\n').filter(Boolean), expected)
  })
}

test('fish is told of every command', async (t) => {
  const { stdout, code } = await prodserver(t, ['completion', 'fish'])
  for (const command of ['run', 'list', 'show', 'check', 'dev']) assert.match(stdout, new RegExp(`-a ${command} -d `))
  assert.equal(code, 0)
})

test('an unknown shell is refused, and the known ones are named', async (t) => {
  const { stderr, code } = await prodserver(t, ['completion', 'tcsh'])
  assert.match(stderr, /There is no completion for tcsh\. Shells: bash, zsh, fish/)
  assert.equal(code, 2)
})
