import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProcessWorld } from '../../../test/support/process-world.ts'
import { createSpec } from '../../../test/support/specs.ts'
import { othersIn, phaseOf } from '../process/views.ts'
import type { ProcessSpec } from '../spec.ts'

const WEB: Partial<ProcessSpec> = {
  name: 'web',
  reload: 'rolling',
  instances: 2,
  listen: ['127.0.0.1:8000'],
  inherited: { argv: ['/bin/true'], env: {}, listening: true },
  ready: { http: '/', intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 },
}

const KINDS: readonly (readonly [name: string, spec: Partial<ProcessSpec>])[] = [
  ['rolling reload with a canary', WEB],
  ['rolling reload', { reload: 'rolling', instances: 2 }],
  ['restarting reload', { reload: 'restart', instances: 2 }],
]

/** Returns a process that runs, in the middle of a reload. */
function inReload(spec: Partial<ProcessSpec>): ProcessWorld {
  const world = new ProcessWorld(createSpec(spec))
  world.dispatch({ type: 'start' })
  world.comeToRest()
  world.dispatch({ type: 'reload', spec: { ...world.state.spec, hash: 'new' }, blocker: null })
  return world
}

/** Lets a reload take its next step. Returns false if it waits for an event. */
function takeStep(world: ProcessWorld): boolean {
  const before = world.state
  world.dispatch({ type: 'dependencies', unmet: [], reason: '', isBlocked: false })
  if (world.state !== before) return true
  return world.advance()
}

/** Number of steps that a reload of this kind takes. */
function countSteps(spec: Partial<ProcessSpec>): number {
  const world = inReload(spec)
  let steps = 0
  while (world.state.reload !== null && takeStep(world)) steps++
  assert.equal(world.state.lastReload?.outcome.ok, true)
  return steps
}

for (const [name, spec] of KINDS) {
  const steps = countSteps(spec)
  assert.ok(steps > 6)
  for (const isSaved of [true, false]) {
    test(`a ${name} may lose its supervisor at each of its steps${isSaved ? '' : ', before the last state was saved'}`, () => {
      for (let crashAt = 0; crashAt <= steps; crashAt++) {
        const world = inReload(spec)
        for (let step = 0; step < crashAt; step++) takeStep(world)
        if (isSaved) world.save()
        world.crash()
        // As the next `up` does.
        world.dispatch({ type: 'start' })
        world.comeToRest()
        assertServes(world, `after a crash at step ${crashAt}`)

        // The next `up` finds the declaration changed; each number is a new one, as the world checks.
        world.dispatch({ type: 'reload', spec: { ...world.state.spec, hash: 'newer' }, blocker: null })
        world.comeToRest()
        assert.equal(world.state.lastReload?.outcome.ok, true)
        assertServes(world, `after a reload, after a crash at step ${crashAt}`)
      }
    })
  }
}

function assertServes({ state, running }: ProcessWorld, when: string): void {
  assert.equal(state.reload, null, when)
  for (const slot of state.slots) assert.deepEqual([phaseOf(slot.current), othersIn(slot)], ['running', []], when)
  const tokens = state.slots.map(({ current }) => current.invocation?.token)
  assert.deepEqual(new Set(running), new Set(tokens), when)
}
