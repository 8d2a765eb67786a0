import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeWorld, instanceAt, meetDependencies } from '../../../test/support/world.ts'
import type { ManagedProcess } from './managed.ts'
import { phaseOf, processStatus, satisfies } from './views.ts'
import type { ProcessSpec } from '../spec.ts'

type Phase = 'stopped' | 'waiting' | 'starting' | 'running' | 'done' | 'failed'

const schedule = { cron: '0 3 * * *', tz: 'UTC' }

/** Returns a process with an instance in each of the phases. */
async function processIn(phases: readonly Phase[], more: Partial<ProcessSpec> = {}): Promise<ManagedProcess> {
  const { createProcess, spawn, end } = createFakeWorld()
  const ready = { notify: true, intervalMs: 1, timeoutMs: 1, failures: 1, startMs: 60_000 } as const
  const restart = { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 } as const
  const managed = createProcess({ ready, restart, instances: phases.length, ...more })
  for (const [index, phase] of phases.entries()) {
    const instance = instanceAt(managed, index)
    if (phase === 'stopped') continue
    instance.start()
    if (phase === 'waiting') continue
    meetDependencies(managed)
    spawn(instance)
    if (phase !== 'starting') instance.notified('READY=1')
    if (phase === 'done') await end(instance)
    if (phase === 'failed') await end(instance, { code: 1, signal: null })
    assert.equal(phaseOf(instance.state), phase)
  }
  managed.leave()
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
  // A job satisfies its dependents when it is done.
  [['running'], { run: 'once' }, 'started'],
  [['done'], { run: 'once' }, 'started ready completed'],
  [['done'], { run: 'release' }, 'started ready completed'],
  [['failed'], { run: 'once' }, ''],
  [['stopped'], { schedule }, 'started ready'],
  [['done'], { schedule }, 'started ready completed'],
]

for (const [phases, spec, met] of conditions) {
  test(`${phases.join(', ')} ${JSON.stringify(spec)} satisfies ${met || 'nothing'}`, async () => {
    const { state } = await processIn(phases, spec)
    const all = ['started', 'ready', 'completed'] as const
    assert.equal(all.filter((condition) => satisfies(state, condition)).join(' '), met)
  })
}

test('instances are numbered from 1, and their invocation numbers continue', () => {
  const managed = createFakeWorld().createProcess({ name: 'web', instances: 2 }, { numbers: [4, 7, 9] })
  managed.dispatch({ type: 'scale', count: 4 })
  assert.deepEqual(
    managed.currents.map(({ id, state }) => `${id} ${state.machine.number}`),
    ['web.1 4', 'web.2 7', 'web.3 9', 'web.4 0'],
  )
})

test('a scheduled process is shown waiting for its time, unless it was stopped', () => {
  const managed = createFakeWorld().createProcess({ schedule })
  const states = (): readonly string[] => processStatus(managed.state).instances.map(({ state }) => state)
  assert.deepEqual(states(), ['stopped'])
  managed.dispatch({ type: 'enable' })
  assert.deepEqual(states(), ['waiting'])
  assert.equal(processStatus(managed.state).schedule, '0 3 * * * UTC')
  managed.leave()
})
