import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSpec } from '../../../test/support/specs.ts'
import { createFakeWorld } from '../../../test/support/world.ts'
import { addSlot, createManaged, type Managed, satisfies, statusOf } from './managed.ts'
import type { ProcessSpec } from '../spec.ts'

type Phase = 'stopped' | 'waiting' | 'starting' | 'running' | 'done' | 'failed'

const schedule = { cron: '0 3 * * *', tz: 'UTC' }

/** A process with an instance in each of the phases. */
async function managedIn(phases: readonly Phase[], more: Partial<ProcessSpec> = {}): Promise<Managed> {
  const { world, spawn, end } = createFakeWorld()
  const ready = { notify: true, intervalMs: 1, timeoutMs: 1, failures: 1, startMs: 60_000 } as const
  const restart = { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 } as const
  const managed = createManaged(createSpec({ ready, restart, instances: phases.length, ...more }), world)
  for (const [index, phase] of phases.entries()) {
    const { current } = managed.slots[index] ?? assert.fail()
    if (phase === 'stopped') continue
    current.start()
    if (phase === 'waiting') continue
    current.go()
    spawn(current)
    if (phase !== 'starting') current.notified('READY=1')
    if (phase === 'done') await end(current)
    if (phase === 'failed') await end(current, { code: 1, signal: null })
    current.leave()
    assert.equal(current.phase.is, phase)
  }
  return managed
}

const conditions: readonly (readonly [phases: readonly Phase[], spec: Partial<ProcessSpec>, met: string])[] = [
  [['stopped'], {}, ''],
  [['waiting'], {}, ''],
  [['starting'], {}, 'started'],
  [['running'], {}, 'started ready'],
  [['failed'], {}, ''],
  [['running', 'running'], {}, 'started ready'],
  [['running', 'starting'], {}, 'started'],
  [['running', 'failed'], {}, ''],
  // One that ran to completion is there when it has.
  [['running'], { run: 'once' }, 'started'],
  [['done'], { run: 'once' }, 'started ready completed'],
  [['done'], { run: 'release' }, 'started ready completed'],
  [['failed'], { run: 'once' }, ''],
  [['stopped'], { schedule }, 'started ready'],
  [['done'], { schedule }, 'started ready completed'],
]

for (const [phases, spec, met] of conditions) {
  test(`${phases.join(', ')} ${JSON.stringify(spec)} satisfies ${met || 'nothing'}`, async () => {
    const managed = await managedIn(phases, spec)
    const all = ['started', 'ready', 'completed'] as const
    assert.equal(all.filter((condition) => satisfies(managed, condition)).join(' '), met)
  })
}

test('instances are numbered from 1 on, and the numbers of their lives go on', () => {
  const { world } = createFakeWorld()
  const managed = createManaged(createSpec({ name: 'web', instances: 2 }), world, [4, 7, 9])
  addSlot(managed, world)
  addSlot(managed, world)
  assert.deepEqual(
    managed.slots.map(({ current }) => `${current.id} ${current.run}`),
    ['web.1 4', 'web.2 7', 'web.3 9', 'web.4 0'],
  )
})

test('what waits for its time is shown waiting, unless somebody stopped it', async () => {
  const managed = await managedIn(['stopped'], { schedule })
  const states = (): readonly string[] => statusOf(managed, () => '').instances.map(({ state }) => state)
  assert.deepEqual(states(), ['stopped'])
  managed.wanted = 'running'
  assert.deepEqual(states(), ['waiting'])
  assert.equal(statusOf(managed, () => '').schedule, '0 3 * * * UTC')
})
