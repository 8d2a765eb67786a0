import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInstance } from '../../../test/support/fake-supervisor.ts'
import { INSTANCE_STATES, type InstanceStateName, type LastExit, type Why } from '../../control/protocol.ts'
import { renderWhy } from './render-why.ts'

const NOW = Date.UTC(2026, 0, 10, 12)
const at = (ms: number): string => new Date(NOW + ms).toISOString()
const exit = (ms: number, ranMs: number): LastExit => ({ at: at(ms), code: 1, signal: null, words: 'exit 1', ranMs })

const why = (more: Partial<Why> = {}, state: InstanceStateName = 'backoff'): Why => ({
  status: createInstance('worker.2', {
    state,
    pid: null,
    since: at(-60_000),
    nextAt: null,
    lastExit: exit(-2000, 8000),
  }),
  wanted: 'running',
  attempt: null,
  recentExits: [],
  lastLines: [],
  hint: null,
  ...more,
})

test('a crash loop with all its evidence', () => {
  const status = createInstance('worker.2', {
    state: 'backoff',
    pid: null,
    nextAt: at(14_000),
    lastExit: exit(-2000, 8000),
    reason: 'It cannot reach its broker',
    beside: { pid: 12, invocation: 9, state: 'starting' },
  })
  const text = renderWhy(
    why({
      status,
      attempt: { number: 8, limit: 10 },
      recentExits: [exit(-242_000, 9000), exit(-2000, 8000)],
      lastLines: ['Traceback:', '  \x1b[31mConnectionError\x1b[0m'],
      hint: 'prodserver start worker.2',
    }),
    NOW,
    (_, words) => words,
    true,
  )
  assert.equal(
    text,
    `worker.2 is waiting to be started again, in 14s (attempt 8 of 10). It cannot reach its broker.
  wanted     running
  last life  8s, exit 1, 11:59:58
  pattern    2 exits in 4m, all within 9s of the start, each time exit 1
  beside it  life 9, pid 12, starting
  last output
    Traceback:
      ConnectionError
Next: prodserver start worker.2
`,
  )
})

const HEADLINES: Readonly<Record<InstanceStateName, string>> = {
  waiting: 'worker.2 waits for its next time.',
  starting: 'worker.2 was started 1m ago and is not ready yet.',
  running: 'worker.2 runs and is ready, for 1m now.',
  stopping: 'worker.2 was asked to stop 1m ago, and finishes its work.',
  backoff: 'worker.2 is waiting to be started again.',
  failed: 'worker.2 failed 1m ago, and is not started again.',
  done: 'worker.2 ran to completion 1m ago.',
  stopped: 'worker.2 was stopped 1m ago.',
}

for (const state of INSTANCE_STATES) {
  test(`${state} has its words`, () => {
    assert.equal(renderWhy(why({}, state), NOW, (_, words) => words).split('\n')[0], HEADLINES[state])
  })
}
