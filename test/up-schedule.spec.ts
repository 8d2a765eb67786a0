import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { member, recordOf } from './support/member.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised, endAll } from './support/supervised.ts'

/** Every second. */
const SOON = '* * * * * *'

const job = (words: string, more: Readonly<Record<string, Json>> = {}): Readonly<Record<string, Json>> => ({
  BACKEND: 'command',
  APP: `bash -c '${words}'`,
  SCHEDULE: SOON,
  ...more,
})

/** Lasts until there is a file `go`. */
const LONG = 'echo begun >> record; until [ -f go ]; do sleep 0.02; done; echo over >> record'

test('a schedule starts its process at each of its times, and waits in between', async (t) => {
  const site = createSupervised(t, {
    processes: {
      tick: job('echo tick >> record'),
      fails: job('echo failed >> record; exit 3'),
      night: job('echo night >> record', { SCHEDULE: '30 3 1 1 *', TZ: 'Asia/Kolkata' }),
    },
  })
  const { stdout } = await site.up()
  assert.match(stdout, /^night +scheduled +next at \d{4}-12-31T22:00:00\.000Z$/m)
  const { state, nextAt, pid } = await site.instance('night.1')
  assert.deepEqual([state, nextAt?.slice(4), pid], ['waiting', '-12-31T22:00:00.000Z', null])
  assert.match((await site.cli('ps', 'night')).stdout, /^night\.1 +waiting .*next run in \d+d/m)
  assert.match((await site.cli('why', 'night')).stdout, /waits for its next time, in \d+d/)
  assert.equal((await site.cli('ps', 'night')).code, 0)

  const countOf = (line: string): number => recordOf(site.root).filter((each) => each === line).length
  // One that failed is started at its next time like any other.
  await waitUntil(() => (countOf('tick') >= 3 && countOf('failed') >= 2) || undefined)
  const starts = site.events().filter(({ type, process }) => type === 'starting' && process === 'tick')
  const seconds = starts.map(({ time }) => time.slice(0, 19))
  assert.equal(new Set(seconds).size, seconds.length, 'once for each second')
  await site.waitFor('tick.1', (status) => status.state === 'waiting' && status.nextAt !== null)
  assert.match((await site.instance('fails.1')).lastExit?.words ?? '', /exit 3/)
  await site.waitFor('fails.1', ({ state }) => state === 'failed')
  await site.up()

  assert.equal((await site.cli('stop', 'tick', 'fails')).code, 0)
  assert.equal((await site.instance('tick.1')).nextAt, null)
  assert.equal((await site.cli('start', 'tick')).code, 0)
  const before = countOf('tick')
  await waitUntil(() => countOf('tick') > before || undefined)
  await endAll(site)
})

test('a run that is longer than the interval is not joined by another, and what was left out is told', async (t) => {
  const site = createSupervised(t, { processes: { long: job(LONG) } })
  await site.up()
  const skipped = (): number => site.events().filter(({ type }) => type === 'skipped').length
  await waitUntil(() => skipped() >= 2 || undefined)
  assert.deepEqual(recordOf(site.root), ['begun'])
  assert.match((await site.cli('events')).stdout, /long\.1 +skipped +skipped: the last one still runs/)
  const { pid, state } = await site.instance('long.1')
  assert.equal(state, 'running')

  // Neither by what else could start it, or replace it.
  site.declare({ long: job(LONG, { ENV: { A: '1' } }) })
  await site.up()
  assert.equal((await site.cli('start', 'long')).code, 0)
  assert.equal((await site.cli('reload')).code, 0)
  assert.equal((await site.instance('long.1')).pid, pid)
  process.kill((await site.supervisor()).pid, 'SIGKILL')
  await site.up()
  const more = skipped()
  await waitUntil(() => skipped() > more || undefined)
  assert.equal((await site.instance('long.1')).pid, pid)

  writeFileSync(join(site.root, 'go'), '')
  await waitUntil(() => recordOf(site.root).length >= 6 || undefined)
  await site.cli('stop')
  const record = recordOf(site.root)
  for (const [index, line] of record.entries())
    assert.equal(line, index % 2 === 0 ? 'begun' : 'over', record.join(', '))
})

test('a run that fails ends nothing else, with --exit-on failure either', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), fails: job('echo failed >> record; exit 3') } })
  const up = site.foreground('--exit-on', 'failure')
  await waitUntil(() => recordOf(site.root).filter((line) => line === 'failed').length >= 2 || undefined)
  assert.equal(up.isRunning(), true)
  assert.equal((await site.instance('web.1')).state, 'running')
})

test('a scheduled process waits for what it depends on', async (t) => {
  const site = createSupervised(t, {
    processes: {
      tick: job('echo tick >> record', { DEPENDS_ON: ['db'] }),
      db: member('db', { ready: 2 }),
    },
  })
  await site.up()
  await waitUntil(() => recordOf(site.root).includes('tick') || undefined)
  assert.deepEqual(recordOf(site.root).slice(0, 3), ['started db', 'ready db', 'tick'])
})

const wrong: readonly {
  readonly schedule: Readonly<Record<string, Json>>
  readonly place: string
  readonly says: RegExp
}[] = [
  { schedule: { SCHEDULE: '61 * * * *' }, place: 'SCHEDULE', says: /"61 \* \* \* \*" is not a cron expression: .*61/ },
  { schedule: { SCHEDULE: 'every day at noon o' }, place: 'SCHEDULE', says: /is not a cron expression/ },
  { schedule: { SCHEDULE: '0 0 30 2 *' }, place: 'SCHEDULE', says: /has no next time/ },
  { schedule: { SCHEDULE: '@often' }, place: 'SCHEDULE', says: /must be a cron expression/ },
  {
    schedule: { SCHEDULE: '@daily', TZ: 'Europe/Berlim' },
    place: 'TZ',
    says: /There is no time zone "Europe\/Berlim"\.[^]*Did you mean Europe\/Berlin\?/,
  },
]

test('a schedule or a time zone that is none is found before anything starts', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web') } })
  for (const { schedule, place, says } of wrong) {
    site.declare({ web: member('web'), tick: job('echo tick >> record', schedule) })
    for (const words of [['check'], ['up', '-d']]) {
      const { code, stdout, stderr } = await site.cli(...words)
      assert.equal(code, 4, `${words.join(' ')} ${JSON.stringify(schedule)}`)
      assert.match(stdout + stderr, new RegExp(`E107 +PRODUCTION_PROCESSES\\["tick"\\]\\["${place}"\\]`))
      assert.match(stdout + stderr, says)
    }
  }
  assert.deepEqual(recordOf(site.root), [])
  assert.deepEqual(site.alive(), [])
})
