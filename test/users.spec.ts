import assert from 'node:assert/strict'
import { chmodSync, globSync, rmSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import type { InstanceStatus } from '../src/control/protocol.ts'
import { AS_UNKNOWN, REMOTE, UNKNOWN_UID, withRemoteUser } from './support/accounts.ts'
import { BIN, PYTHON } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { type Finished, run } from './support/running.ts'

const onlyRoot = process.getuid?.() === 0 ? {} : { skip: 'only root may become another user' }

const REPORT = `sh -c 'echo ids: $(id -u) $(id -g) $(id -G) $HOME $USER $LOGNAME; exec sleep \${1:-0}' sh`

/** A project with a process that prints who it is. */
function createReport(t: TestContext, keys: string, more = ''): string {
  const declared = `{"BACKEND": "command", "APP": """${REPORT} ${more}""", "READY": {"log": "ids"}, ${keys}}`
  const root = createProject(t, { settings: `PRODUCTION_PROCESSES = {"report": ${declared}}` })
  chmodSync(root, 0o755)
  return root
}

/** Runs `prodserver` behind other words, with the environment of a container. */
const behind = (
  t: TestContext,
  words: readonly string[],
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Finished> => {
  const [program = '', ...rest] = [...words, process.execPath, BIN, ...args]
  const env = { PRODSERVER_PYTHON: PYTHON, HOME: '/', USER: undefined, LOGNAME: undefined, ...options.env }
  return run(t, program, rest, { cwd: options.cwd, env })
}

/** Starts the process with `run` and with `up`, and returns the line that it prints each time. */
async function reports(t: TestContext, keys: string, words: readonly string[]): Promise<readonly string[]> {
  const once = await behind(t, words, ['report'], { cwd: createReport(t, keys) })
  assert.equal(once.code, 0, once.stderr)
  const cwd = createReport(t, keys, '600')
  const env = { PRODSERVER_STATE_DIR: `${cwd}/state` }
  try {
    const up = await behind(t, words, ['up', '-d'], { cwd, env })
    assert.equal(up.code, 0, up.stdout + up.stderr)
    const logs = await behind(t, words, ['logs', 'report'], { cwd, env })
    return [once.stdout, logs.stdout].map((text) => /ids: (.*)/.exec(text)?.[1] ?? text)
  } finally {
    await behind(t, words, ['down'], { cwd, env })
  }
}

test('run and up start a process as a number that no user has', onlyRoot, async (t) => {
  const [first, second] = await reports(t, `"USER": ${UNKNOWN_UID}`, ['env'])
  assert.equal(first, '12345 12345 12345 / 12345 12345')
  assert.equal(second, first)
})

test('run and up give a number that no user has the declared group', onlyRoot, async (t) => {
  const [first, second] = await reports(t, `"USER": "${UNKNOWN_UID}", "GROUP": "daemon"`, ['env'])
  assert.equal(first, '12345 1 1 / 12345 12345')
  assert.equal(second, first)
})

test('run and up leave out the group of the user when another group is declared', onlyRoot, async (t) => {
  const [first, second] = await reports(t, '"USER": "nobody", "GROUP": "daemon"', ['env'])
  assert.match(first ?? '', /^65534 1 1 \S+ nobody nobody$/)
  assert.equal(second, first)
})

test('run and up find a user and a group that only the name service knows', onlyRoot, async (t) => {
  const words = withRemoteUser(t)
  const known = await run(t, words[0] as string, [...words.slice(1), 'getent', 'passwd', REMOTE.user])
  if (known.code !== 0) return t.skip('this machine has no libnss_systemd, or makes no mount namespace')
  const [first, second] = await reports(t, `"USER": "${REMOTE.user}", "GROUP": "${REMOTE.group}"`, words)
  assert.equal(first, '45678 45679 45679 /srv/remote remote-user remote-user')
  assert.equal(second, first)
})

test('up works for a user without an entry in the user database', onlyRoot, async (t) => {
  const cwd = createReport(t, `"USER": ${UNKNOWN_UID}`, '600')
  const stateDirs = (): readonly string[] => globSync(`/tmp/prodserver-${UNKNOWN_UID}-${cwd.split('/').at(-1)}-*`)
  t.after(() => {
    for (const folder of stateDirs()) rmSync(folder, { recursive: true })
  })
  try {
    const up = await behind(t, AS_UNKNOWN, ['up', '-d'], { cwd })
    assert.equal(up.code, 0, up.stdout + up.stderr)
    const { stdout } = await behind(t, AS_UNKNOWN, ['ps', '--json'], { cwd })
    const status = JSON.parse(stdout) as InstanceStatus
    assert.equal(status.state, 'running')
    const logs = await behind(t, AS_UNKNOWN, ['logs', 'report'], { cwd })
    assert.match(logs.stdout, /ids: 12345 0 0 \//)
    assert.equal(stateDirs().length, 1)
  } finally {
    await behind(t, AS_UNKNOWN, ['down'], { cwd })
  }
})
