import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeWorld, type FakeWorld, meetDependencies } from '../../test/support/world.ts'
import type { ActionRequest } from '../control/protocol.ts'
import { act, withDependencies } from './actions.ts'
import type { ManagedProcess } from './process/managed.ts'
import type { ProcessSpec } from './spec.ts'
import type { Supervisor } from './supervisor.ts'

const ready = { notify: true, intervalMs: 1, timeoutMs: 1, failures: 1, startMs: 60_000 } as const

interface Given extends FakeWorld {
  readonly supervisor: Supervisor
  readonly processes: ReadonlyMap<string, ManagedProcess>
}

/** Returns a supervisor without a shim: as much of one as an action uses. All of its processes run. */
function given(specs: readonly Partial<ProcessSpec>[]): Given {
  const fake = createFakeWorld()
  const processes = new Map(specs.map((spec) => [spec.name ?? '', fake.createProcess({ ready, ...spec })]))
  for (const managed of processes.values()) {
    managed.dispatch({ type: 'start' })
    meetDependencies(managed)
    for (const instance of managed.currents) {
      fake.spawn(instance)
      instance.notified('READY=1')
    }
    managed.leave()
  }
  fake.asked.length = 0
  const supervisor = {
    processes,
    until: fake.until,
    closing: false,
    blockedBy: () => [],
    dependenciesOf: ({ dependsOn }: ProcessSpec) => dependsOn,
    sockets: { close: () => {} },
    lookAgain: () => {},
  } as unknown as Supervisor
  return { ...fake, supervisor, processes }
}

const declared: readonly Partial<ProcessSpec>[] = [
  { name: 'web', kind: 'web', instances: 2 },
  { name: 'worker' },
  { name: 'beat', kind: 'scheduler' },
  { name: 'migrate', kind: 'task', run: 'once' },
]

const refused: readonly (readonly [
  request: Partial<ActionRequest>,
  exitCode: number,
  message: RegExp,
  hint?: RegExp,
])[] = [
  [{ verb: 'stop', targets: ['wbe'] }, 2, /no process or instance "wbe"/, /Did you mean web\?/],
  [
    { verb: 'stop', targets: ['web', 'zzzzzz'] },
    2,
    /no process or instance "zzzzzz"/,
    /There are: web, worker, beat, migrate/,
  ],
  [{ verb: 'reload', targets: ['web.3'] }, 2, /no process or instance "web\.3"/],
  [{ verb: 'scale', counts: { nothing: '1' } }, 2, /no process or instance "nothing"/],
  [{ verb: 'scale', counts: { 'web.1': '1' } }, 2, /"web\.1" selects single instances/],
  [{ verb: 'scale', counts: { web: '1', 'w?b': '2' } }, 2, /web is given two counts/],
  [{ verb: 'scale', counts: { web: 'two' } }, 2, /web=two is not a number/, /scale web=4/],
  [{ verb: 'scale', counts: { web: '' } }, 2, /web= is not a number/],
  [{ verb: 'scale', counts: { web: '1.5' } }, 2, /web=1\.5 is not a number/],
  [{ verb: 'scale', counts: { web: '-3' } }, 2, /web=-3 is not a number/],
  [{ verb: 'scale', counts: { web: '1001' } }, 2, /web=1001 is not a number/],
  [{ verb: 'scale', counts: { beat: '2' } }, 4, /two schedulers/],
  [{ verb: 'scale', counts: { beat: '+1' } }, 4, /two schedulers/],
  [{ verb: 'scale', counts: { migrate: '2' } }, 4, /runs to completion/],
  // Half of what was typed is not done either.
  [{ verb: 'scale', counts: { web: '1', beat: '2' } }, 4, /two schedulers/],
]

for (const [request, exitCode, message, hint] of refused) {
  test(`${JSON.stringify(request)} is refused, and nothing is changed`, async () => {
    const { supervisor, asked, processes } = given(declared)
    const whole = { verb: 'stop', targets: [], ...request } as const
    await assert.rejects(
      async () => act(supervisor, whole),
      (error: Error & { exitCode?: number; hint?: string }) => {
        assert.match(error.message, message)
        assert.equal(error.exitCode, exitCode)
        if (hint) assert.match(error.hint ?? '', hint)
        return true
      },
    )
    const { slots, desired } = processes.get('web')?.state ?? assert.fail()
    assert.deepEqual([asked, slots.length, desired], [[], 2, 'running'])
  })
}

test('whoever depends on something stops before it, and what does not, at the same time', async () => {
  const { supervisor, asked, processes, end } = given([
    { name: 'db' },
    { name: 'web', dependsOn: { db: 'ready' } },
    { name: 'worker', dependsOn: { db: 'ready' } },
  ])
  const [db, web, worker] = [...processes.values()].flatMap(({ instances }) => instances)
  assert.ok(db && web && worker)
  const result = act(supervisor, { verb: 'stop', targets: [] })
  assert.deepEqual(asked, ['SIGTERM web.1#1', 'SIGTERM worker.1#1'])
  await end(web)
  assert.ok(!asked.includes('SIGTERM db.1#1'))
  await end(worker)
  await new Promise((next) => setImmediate(next))
  assert.equal(asked.at(-1), 'SIGTERM db.1#1')
  await end(db)
  assert.deepEqual(await result, {
    exitCode: 0,
    changes: ['db.1', 'web.1', 'worker.1'].map((process) => ({ process, did: 'stopped', message: '' })),
  })
  for (const managed of processes.values()) managed.leave()
})

test('what a process needs comes before it, unless it has done its work', async () => {
  const { supervisor, processes, end } = given([
    { name: 'web', dependsOn: { cache: 'ready', migrate: 'completed' } },
    { name: 'migrate', run: 'once', dependsOn: { db: 'ready' } },
    { name: 'cache' },
    { name: 'db' },
  ])
  const names = (): string => {
    const web = processes.get('web')
    assert.ok(web)
    return [...withDependencies(supervisor, [web])].map(({ name }) => name).join(' ')
  }
  assert.equal(names(), 'cache db migrate web')
  const migrate = processes.get('migrate')?.currents[0]
  assert.ok(migrate)
  await end(migrate)
  assert.equal(names(), 'cache web')
})
