import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { type Finished, prodserver, waitUntil } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

/** A Celery application that notes when a process begins to schedule by it, and when that process ends. */
const CELERY = `
import atexit
import os
import sys

from celery import Celery

app = Celery("mysite", broker="memory://")
app.conf.beat_schedule = {"tick": {"task": "mysite.tick", "schedule": 60}}


def note(what):
    with open("lives", "a") as lives:
        lives.write(f"{what} {os.getpid()}\\n")


# Others import it as well.
if "beat" in sys.argv:
    note("begins")
    atexit.register(note, "ended")
`

const beat = (declaration: Readonly<Record<string, Json>> = {}): Readonly<Record<string, Json>> => ({
  BACKEND: 'celery-beat',
  APP: 'mysite.celery.app',
  READY: { log: 'beat: Starting' },
  ARGS: { loglevel: 'info' },
  ...declaration,
})

const createSite = (t: TestContext, processes: Readonly<Record<string, Json>>): Supervised =>
  createSupervised(t, { processes, files: { 'mysite/celery.py': CELERY } })

const livesOf = ({ root }: Supervised): readonly string[] =>
  existsSync(join(root, 'lives')) ? readFileSync(join(root, 'lives'), 'utf8').trimEnd().split('\n') : []

/** Fails where one began before the one before it had ended. */
function assertOneAfterTheOther(lives: readonly string[], count: number): void {
  assert.equal(lives.filter((line) => line.startsWith('begins')).length, count, lives.join(', '))
  for (const [index, line] of lives.entries()) {
    const [what, pid] = line.split(' ')
    assert.equal(what, index % 2 === 0 ? 'begins' : 'ended', lives.join(', '))
    if (what === 'ended') assert.equal(lives[index - 1], `begins ${pid}`, lives.join(', '))
  }
}

const refused: readonly { readonly what: string; readonly processes: Readonly<Record<string, Json>> }[] = [
  {
    what: 'two schedulers of one application',
    processes: { beat: beat(), again: beat({ ARGS: { loglevel: 'info' } }) },
  },
  { what: 'several instances of a scheduler', processes: { beat: beat({ INSTANCES: 2 }) } },
]

for (const { what, processes } of refused) {
  test(`${what} are refused by check, and by up before anything starts`, async (t) => {
    const site = createSite(t, processes)
    for (const words of [['check'], ['up', '-d'], ['up']]) {
      const { code, stdout, stderr } = await site.cli(...words)
      assert.equal(code, 4, words.join(' '))
      assert.match(stdout + stderr, /E402 /)
    }
    assert.deepEqual(livesOf(site), [])
    assert.deepEqual(site.alive(), [])
  })
}

test('a scheduler is not scaled', async (t) => {
  const site = createSite(t, { beat: beat() })
  await site.up()
  const { pid } = await site.instance('beat.1')
  for (const words of ['beat=2', 'beat=+1']) {
    const { code, stderr } = await site.cli('scale', words)
    assert.equal(code, 4)
    assert.match(stderr, /beat: two schedulers would run every job twice\. Nothing was changed\./)
  }
  assert.deepEqual(
    (await site.ps()).map((status) => status.pid),
    [pid],
  )
})

test('whatever replaces a scheduler, the old one has ended before the new one begins', async (t) => {
  const site = createSite(t, { beat: beat() })
  await site.up()
  for (const words of [['reload'], ['reload', 'beat'], ['restart', 'beat']])
    assert.equal((await site.cli(...words)).code, 0, words.join(' '))
  site.declare({ beat: beat({ ENV: { A: '1' } }) })
  await site.up()
  site.declare({ beat: beat({ ENV: { A: '2' }, RELOAD: 'rolling' }) })
  assert.equal((await site.cli('reload')).code, 0)
  assert.equal((await site.cli('down')).code, 0)
  assertOneAfterTheOther(livesOf(site), 6)
})

test('a second supervisor of the project gets no second scheduler, even when all that kept the first was killed', async (t) => {
  const site = createSite(t, { beat: beat() })
  const elsewhere = mkdtempSync(join(tmpdir(), 'prodserver-state-'))
  t.after(() => rmSync(elsewhere, { recursive: true, force: true, maxRetries: 3 }))
  const other = (...words: readonly string[]): Promise<Finished> =>
    prodserver(t, words, { cwd: site.root, env: { ...site.env, PRODSERVER_STATE_DIR: elsewhere } })
  const assertRefused = async (pid: number | null): Promise<void> => {
    const { code, stderr } = await other('up', '-d')
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`beat +failed .*another one of it runs already on this machine: pid ${pid}\\b`))
    const [status] = (await other('ps', '--json')).stdout.split('\n').map((line) => line && JSON.parse(line))
    assert.deepEqual([status.state, status.restarts], ['failed', 0])
  }

  await site.up()
  const { pid } = await site.instance('beat.1')
  await assertRefused(pid)

  const killed = await site.supervisor()
  for (const each of [killed.pid, killed.shimPid]) process.kill(each, 'SIGKILL')
  await waitUntil(() => site.alive().every((each) => each !== killed.pid && each !== killed.shimPid) || undefined)
  await assertRefused(pid)
  assert.ok(site.alive().includes(pid as number), 'the scheduler has not been touched')

  // Who comes back to the first one finds it.
  await site.up()
  assert.equal((await site.instance('beat.1')).pid, pid)
  assert.equal((await site.cli('down')).code, 0)
  assert.equal((await other('start', 'beat')).code, 0)
  assert.equal((await other('down')).code, 0)
  assertOneAfterTheOther(livesOf(site), 2)
  assert.deepEqual(site.alive(), [])
})
