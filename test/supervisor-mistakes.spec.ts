import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { requireLinux } from '../src/cli/commands/up/execute.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

const settings = 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "command", "APP": "sleep 1000"}}'

interface Given {
  /** Where the state directory is, or would be. */
  readonly stateDir: string
  readonly cli: (...args: readonly string[]) => Promise<Finished>
}

/** A project in which nothing runs. */
function given(t: TestContext): Given {
  const cwd = createProject(t, { settings })
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const stateDir = join(folder, 'state')
  return { stateDir, cli: (...args) => prodserver(t, args, { cwd, env: { PRODSERVER_STATE_DIR: stateDir } }) }
}

const words = ({ stderr, stdout }: Finished, stateDir: string): string =>
  (stdout + stderr).replaceAll(stateDir, '<state>')

for (const command of [
  'stop',
  'start',
  'restart',
  'reload',
  'scale worker=2',
  'why worker',
  'ps',
  'logs',
  'events',
  'down',
]) {
  test(`${command} says so where nothing runs, and what to type`, async (t) => {
    const { stateDir, cli } = given(t)
    const finished = await cli(...command.split(' '))
    const said = words(finished, stateDir)
    // Who wants it stopped has what was wanted.
    assert.equal(finished.code, command === 'down' ? 0 : 3, said)
    if (command === 'ps' || command === 'down') return assert.match(said, /Nothing is running\./)
    assert.match(said, /^E601 {2}<state>\n {6}.+\.\n {6}→ Start with: prodserver up -d\n$/)
  })
}

for (const selector of ['web', 'worker.1', 'work(', 'w.rker', '@web', '(*']) {
  test(`up starts nothing where ${selector} names nothing`, async (t) => {
    const { stateDir, cli } = given(t)
    const finished = await cli('up', '-d', selector)
    assert.ok(words(finished, stateDir).startsWith('E104  PRODUCTION_PROCESSES\n'), finished.stderr)
    assert.equal(finished.code, 2)
    assert.equal(existsSync(stateDir), false)
  })
}

test('a socket behind which nobody answers as a supervisor does is named', async (t) => {
  const { stateDir, cli } = given(t)
  mkdirSync(stateDir)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((settle) => {
    server.listen(join(stateDir, 'control.sock'), settle)
  })
  t.after(() => server.close())
  const finished = await cli('ps')
  assert.equal(
    words(finished, stateDir),
    'E602  <state>/control.sock\n      The supervisor ended before it answered.\n',
  )
  assert.equal(finished.code, 1)
})

const folders: readonly (readonly [what: string, make: (stateDir: string) => void, message: RegExp, code: number])[] = [
  ['a file', (stateDir) => writeFileSync(stateDir, ''), /The state directory cannot be used\. EEXIST/, 1],
  [
    'a symbolic link',
    (stateDir) => symlinkSync(tmpdir(), stateDir),
    /The state directory cannot be used\. It is a symbolic link\./,
    6,
  ],
]

for (const [what, make, message, code] of folders) {
  for (const args of [['up'], ['up', '-d']]) {
    test(`${args.join(' ')} refuses a state directory that is ${what}, and starts nothing`, async (t) => {
      const { stateDir, cli } = given(t)
      make(stateDir)
      const finished = await cli(...args)
      const said = words(finished, stateDir)
      assert.match(said, /^E603 {2}<state>\n/)
      assert.match(said, message)
      assert.match(said, /→ Name a folder of your own: PRODSERVER_STATE_DIR=/)
      assert.equal(finished.code, code)
    })
  }
}

test('up refuses a state directory that cannot be made, and does not try for ever', async (t) => {
  const finished = await prodserver(t, ['up', '-d'], {
    cwd: createProject(t, { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}' }),
    env: { PRODSERVER_STATE_DIR: '/proc/nowhere/state' },
  })
  assert.match(finished.stderr, /^E603 {2}\/proc\/nowhere\/state\n/)
  assert.equal(finished.code, 1)
})

test('up leaves alone what another supervisor runs that does not answer', async (t) => {
  const supervised = createSupervised(t, { processes: { worker: { BACKEND: 'command', APP: 'sleep 1000' } } })
  await supervised.up()
  const before = await supervised.instance('worker.1')
  const inhabitants = supervised.alive().toSorted((a, b) => a - b)
  rmSync(join(supervised.stateDir, 'control.sock'))
  const finished = await supervised.cli('up', '-d')
  assert.equal(
    words(finished, supervised.stateDir),
    'E604  <state>\n      Another `prodserver up` was first, and supervises this project.\n      → Look: prodserver ps\n',
  )
  assert.equal(finished.code, 4)
  assert.deepEqual(
    supervised.alive().toSorted((a, b) => a - b),
    inhabitants,
  )
  assert.ok(before.pid && inhabitants.includes(before.pid))
})

test('supervising is refused where the system is not Linux', () => {
  assert.throws(() => requireLinux('darwin'), { message: /^E605 .+ this is darwin\.$/, exitCode: 4 })
  requireLinux('linux')
})
