import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ProcessWorld } from '../../../test/support/process-world.ts'
import { createSpec } from '../../../test/support/specs.ts'
import type { ProcessSpec } from '../spec.ts'
import { othersIn, phaseOf } from './views.ts'

/** Random histories of one process. `pick` chooses among the instances that an event can be about. */
type Happening = (world: ProcessWorld) => void

const command = fc.constantFrom<Happening>(
  ({ dispatch }) => dispatch({ type: 'start' }),
  ({ dispatch }) => dispatch({ type: 'stop' }),
  ({ dispatch }) => dispatch({ type: 'enable' }),
  ({ dispatch, state }) =>
    dispatch({ type: 'reload', spec: { ...state.spec, hash: state.numbers.join() }, blocker: null }),
  ({ dispatch, state }) => dispatch({ type: 'reload', spec: state.spec, blocker: null }),
  ({ dispatch, state }) => dispatch({ type: 'reload', spec: state.spec, blocker: 'db failed' }),
  ({ dispatch, state }) =>
    dispatch({ type: 'declare', spec: { ...state.spec, stop: { signal: 'INT', timeoutMs: 5 } } }),
  ({ dispatch }) => dispatch({ type: 'dependencies', unmet: ['db'], reason: 'db failed', isBlocked: true }),
)

const MET: Happening = ({ dispatch }) => dispatch({ type: 'dependencies', unmet: [], reason: '', isBlocked: false })

const instanceCommand = fc
  .tuple(fc.constantFrom('start-instance', 'stop-instance', 'kill-instance', 'restart-instance', 'replace'), fc.nat(9))
  .map(([type, pick]): Happening => (world) => {
    const instance = world.instanceAt(pick)
    if (instance) world.dispatch({ type, key: instance.key })
  })

const happening = fc.oneof(
  { weight: 4, arbitrary: command },
  { weight: 2, arbitrary: instanceCommand },
  { weight: 5, arbitrary: fc.constant(MET) },
  {
    weight: 1,
    arbitrary: fc.nat(3).map(
      (count): Happening =>
        ({ dispatch }) =>
          dispatch({ type: 'scale', count }),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(true, true, true, false).map(
      (isSpawned): Happening =>
        (world) =>
          world.answer(isSpawned),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(9).map(
      (pick): Happening =>
        (world) =>
          world.exit(pick),
    ),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom(0, 1, null).map(
      (code): Happening =>
        (world) =>
          world.report(code),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constantFrom('ready', 'ready', 'ready', 'probe-failed'), fc.nat(9)).map(
      ([type, pick]): Happening =>
        (world) =>
          world.probe(type, pick),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(false, false, false, true).map(
      (isLeft): Happening =>
        (world) =>
          world.clean(isLeft),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(9).map(
      (pick): Happening =>
        (world) =>
          world.timer(pick),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(99).map(
      (pick): Happening =>
        (world) =>
          world.echo(pick),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Happening>((world) => world.save()) },
  { weight: 1, arbitrary: fc.constant<Happening>((world) => world.crash()) },
)

const KINDS: readonly Partial<ProcessSpec>[] = [
  { reload: 'rolling' },
  { reload: 'rolling', instances: 2 },
  {
    reload: 'rolling',
    listen: ['127.0.0.1:8000'],
    inherited: { argv: ['/bin/true'], env: {}, listening: true },
    ready: { http: '/', intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 },
  },
  { reload: 'restart', instances: 2 },
  { reload: 'signal' },
  { kind: 'scheduler', reload: 'rolling' },
]

const spec = fc
  .tuple(
    fc.constantFrom(...KINDS),
    fc.record({
      policy: fc.constantFrom('always' as const, 'on-failure' as const, 'never' as const),
      delayMs: fc.constantFrom(0, 1000),
      maxDelayMs: fc.constantFrom(0, 60_000),
      limit: fc.integer({ min: 1, max: 5 }),
      windowMs: fc.constantFrom(1, 600_000),
    }),
  )
  .map(([kind, restart]) => createSpec({ ...kind, restart }))

const history = fc.array(happening, { minLength: 5, maxLength: 80, size: 'max' })
const options = { numRuns: 2000 }

/** Runs random histories, and then what the test adds. */
function holds(name: string, then: (world: ProcessWorld, spec: ProcessSpec) => void): void {
  test(name, () => {
    fc.assert(
      fc.property(spec, history, (spec, happenings) => {
        const world = new ProcessWorld(spec)
        for (const happen of happenings) happen(world)
        then(world, spec)
      }),
      options,
    )
  })
}

holds('in any history, invocations never share a number and slots never hold too many programs', () => {})

const hasSecond = ({ state }: ProcessWorld): boolean => state.slots.some((slot) => othersIn(slot).length > 0)

function stopAll(world: ProcessWorld): void {
  for (let index = 0; index < 9; index++) {
    const instance = world.instanceAt(index)
    if (instance) world.dispatch({ type: 'stop-instance', key: instance.key })
  }
}

for (const type of ['stop', 'close'] as const) {
  holds(`after any history, ${type} ends every program and every reload`, (world) => {
    world.dispatch({ type })
    stopAll(world)
    world.comeToRest()
    const { spawns } = world
    world.comeToRest()
    assert.deepEqual([world.spawns, world.running.filter((token) => isManaged(world, token))], [spawns, []])
    assert.deepEqual([world.state.reload, hasSecond(world)], [null, false])
    assert.ok(
      world.phases.every((is) => is === 'stopped' || is === 'done'),
      world.phases.join(),
    )
  })
}

holds('after any history, a started process runs once in each slot and its reload ends', (world) => {
  world.comeToRest()
  world.dispatch({ type: 'start' })
  world.comeToRest()
  assert.deepEqual([world.state.reload, hasSecond(world)], [null, false])
  // A slot that scaling removes stays while a cleanup leaves survivors in it.
  const slots = world.state.slots.filter(({ isLeaving }) => !isLeaving)
  assert.ok(slots.every(({ current }) => phaseOf(current) === 'running'))
  const tokens = slots.flatMap(({ current }) => current.invocation?.token ?? [])
  assert.deepEqual(
    world.running.filter((token) => tokens.includes(token)),
    tokens.toSorted((one, other) => world.running.indexOf(one) - world.running.indexOf(other)),
  )
})

holds('after any history, a crash and a reload give every instance a new invocation', (world) => {
  world.crash()
  world.dispatch({ type: 'start' })
  world.comeToRest()
  const before = world.state.slots.map(({ current }) => current.machine.number)
  const { spec } = world.state
  world.dispatch({ type: 'reload', spec: { ...spec, reload: 'rolling', hash: 'new' }, blocker: null })
  world.comeToRest()
  const { lastReload, slots, reload } = world.state
  assert.deepEqual([reload, lastReload?.outcome.ok], [null, true])
  for (const [index, { current, isLeaving }] of slots.entries()) {
    if (isLeaving) continue
    assert.ok(current.machine.number > (before[index] ?? 0))
    assert.equal(current.invocation?.hash, 'new')
  }
})

/** Says whether a program belongs to an instance. Survivors of a cleanup that failed do not. */
const isManaged = ({ state }: ProcessWorld, token: string): boolean =>
  state.slots.some((slot) => [slot.current, ...othersIn(slot)].some(({ invocation }) => invocation?.token === token))
