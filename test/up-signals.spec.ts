import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { BIN, PYTHON } from './support/environment.ts'
import { isRunning } from './support/processes.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'
import { openTerminal, type Terminal } from './support/terminal.ts'

/** A program that writes down every signal that it is sent, and ends by TERM. */
const witness = (name: string, more: Readonly<Record<string, Json>> = {}): Json => ({
  BACKEND: 'command',
  APP: `sh -c '${['INT', 'HUP', 'TERM'].map((signal) => trap(name, signal)).join('; ')}; echo up; while :; do sleep 0.02; done'`,
  READY: { log: 'up' },
  ...more,
})

const trap = (name: string, signal: string): string =>
  `trap "echo ${name} ${signal} >> ended${signal === 'TERM' ? '; exit 0' : ''}" ${signal}`

/** They start in the order of the alphabet. */
const CHAIN = {
  c: witness('c', { DEPENDS_ON: ['b'] }),
  a: witness('a'),
  b: witness('b', { DEPENDS_ON: ['a'] }),
}

/** It cannot be asked. */
const deaf = (more: Readonly<Record<string, Json>> = {}): Json => ({
  BACKEND: 'command',
  APP: `sh -c 'trap "" TERM INT HUP; echo up; while :; do sleep 0.02; done'`,
  READY: { log: 'up' },
  STOP: { timeout: '10m' },
  ...more,
})

const ended = ({ root }: Supervised): string =>
  existsSync(join(root, 'ended')) ? readFileSync(join(root, 'ended'), 'utf8') : ''

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} to a supervisor in the foreground ends all in reverse order, each asked once, with exit code 0`, async (t) => {
    const site = createSupervised(t, { processes: CHAIN })
    const up = site.foreground()
    await up.waitForOutput(/Ready in/)
    up.signal(signal)
    assert.deepEqual(await up.ended(), { code: 0, signal: null }, up.output())
    assert.equal(ended(site), 'c TERM\nb TERM\na TERM\n')
    assert.deepEqual(site.alive(), [])
  })

  test(`${signal} to a supervisor in the background does the same`, async (t) => {
    const site = createSupervised(t, { processes: CHAIN })
    await site.up()
    const { pid } = await site.supervisor()
    process.kill(pid, signal)
    await waitUntil(() => site.alive().length === 0 || undefined)
    assert.equal(ended(site), 'c TERM\nb TERM\na TERM\n')
    assert.equal((await site.cli('ps')).code, 3)
  })
}

test('who ends a session or a machine sends several signals: none of them kills at once', async (t) => {
  for (const start of [startInForeground, startInBackground]) {
    const site = createSupervised(t, { processes: { slow: slow() } })
    const pid = await start(site)
    process.kill(pid, 'SIGHUP')
    await waitUntil(() => ended(site).includes('asked') || undefined)
    process.kill(pid, 'SIGTERM')
    process.kill(pid, 'SIGHUP')
    await waitUntil(() => site.alive().length === 0 || undefined)
    assert.equal(ended(site), 'asked\nfinished\n')
  }
})

/** It finishes something before it ends. */
const slow = (): Json => ({
  BACKEND: 'command',
  APP: `sh -c 'trap "echo asked >> ended; sleep 0.5; echo finished >> ended; exit 0" TERM; echo up; while :; do sleep 0.02; done'`,
  READY: { log: 'up' },
})

async function startInForeground(site: Supervised): Promise<number> {
  const up = site.foreground()
  await up.waitForOutput(/Ready in/)
  return up.pid
}

async function startInBackground(site: Supervised): Promise<number> {
  await site.up()
  return (await site.supervisor()).pid
}

test('a signal while it waits for what does not get ready ends all as well', async (t) => {
  const processes = {
    a: witness('a'),
    never: deaf({ READY: { log: 'never' }, DEPENDS_ON: ['a'], STOP: { timeout: '200ms' } }),
  }
  const site = createSupervised(t, { processes })
  const up = site.foreground()
  await up.waitForOutput(/never\.1 │ up|never +│ up|up\n[^]*up\n/)
  up.signal('SIGTERM')
  assert.deepEqual(await up.ended(), { code: 0, signal: null }, up.output())
  assert.equal(ended(site), 'a TERM\n')
  assert.deepEqual(site.alive(), [])
})

test('a signal before anything runs leaves nothing', async (t) => {
  const settings = 'import time, pathlib\npathlib.Path("reading").touch()\ntime.sleep(600)'
  const site = createSupervised(t, { processes: CHAIN, settings })
  const up = site.foreground()
  await waitUntil(() => existsSync(join(site.root, 'reading')) || undefined)
  // As a terminal does.
  process.kill(-up.pid, 'SIGINT')
  const { code, signal } = await up.ended()
  assert.ok(code === 130 || signal === 'SIGINT', `It ended with ${code}, ${signal}.`)
  await waitUntil(() => site.alive().length === 0 || undefined)
})

/** `up` in a terminal of its own. */
function upInTerminal(t: TestContext, site: Supervised): Terminal {
  return openTerminal(t, ['up', '--project', site.root], { env: { ...site.env, PRODSERVER_PYTHON: PYTHON } })
}

test('Ctrl-C in a terminal reaches the programs as one TERM each, in reverse order', async (t) => {
  const site = createSupervised(t, { processes: CHAIN })
  const terminal = upInTerminal(t, site)
  await terminal.shows(/Ready in/)
  terminal.press('\x03')
  assert.deepEqual(await terminal.ended(), { code: 0, isRestored: true })
  assert.match(terminal.written(), /Stopping\. Ctrl-C again kills at once\./)
  assert.equal(ended(site), 'c TERM\nb TERM\na TERM\n')
  // What opened the terminal may be there a moment longer.
  await waitUntil(() => site.alive().length === 0 || undefined)
})

test('a second Ctrl-C kills what is left at once, those whose turn had not come as well', async (t) => {
  const site = createSupervised(t, { processes: { a: deaf(), b: deaf({ DEPENDS_ON: ['a'] }) } })
  const terminal = upInTerminal(t, site)
  await terminal.shows(/Ready in/)
  const pids = (await site.ps()).map(({ pid }) => pid as number)
  terminal.press('\x03')
  await terminal.shows(/Ctrl-C again/)
  assert.deepEqual(pids.filter(isRunning), pids)
  const shownMs = performance.now()
  // What follows the first within half a second counts as the same; one press after that must do.
  await waitUntil(() => performance.now() - shownMs > 500 || undefined)
  terminal.press('\x03')
  const { isRestored } = await terminal.ended()
  assert.ok(isRestored)
  // What opened the terminal may be there a moment longer.
  await waitUntil(() => site.alive().length === 0 || undefined)
})

test('Ctrl-C in a terminal is one, though npm passes on to its child what the terminal has sent to both', async (t) => {
  const site = createSupervised(t, { processes: CHAIN })
  const scripts = { up: `exec ${process.execPath} ${BIN} up` }
  writeFileSync(join(site.root, 'package.json'), JSON.stringify({ name: 'site', private: true, scripts }))
  const terminal = openTerminal(t, ['run', 'up'], {
    program: ['npm', '--prefix', site.root, '--no-update-notifier'],
    env: { ...site.env, PRODSERVER_PYTHON: PYTHON },
  })
  await terminal.shows(/Ready in/)
  terminal.press('\x03')
  await terminal.ended()
  await waitUntil(() => site.alive().length === 0 || undefined)
  assert.equal(ended(site), 'c TERM\nb TERM\na TERM\n', terminal.written())
})

test('closing the terminal ends all in reverse order', async (t) => {
  const site = createSupervised(t, { processes: { ...CHAIN, printer: printer() } })
  const terminal = upInTerminal(t, site)
  await terminal.shows(/Ready in/)
  terminal.close()
  await waitUntil(
    () => site.alive().length === 0 || undefined,
    20_000,
    () => `${site.alive().join(', ')} live on.\n${ended(site)}`,
  )
  assert.equal(ended(site), 'c TERM\nb TERM\na TERM\n')
  const stopped = site.events().filter(({ type }) => type === 'stopped')
  assert.equal(stopped.length, 4)
})

/** What it prints cannot be shown any more once the terminal has gone. */
const printer = (): Json => ({
  BACKEND: 'command',
  APP: `sh -c 'while :; do echo line; sleep 0.01; done'`,
  READY: { log: 'line' },
})
