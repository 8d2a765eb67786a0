import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  describeState,
  type EventName,
  EVENTS,
  type Situation,
  SITUATIONS,
  takeEvent,
} from '../../../test/support/process-situations.ts'
import { createSpec } from '../../../test/support/specs.ts'
import type { ProcessStep } from './events.ts'
import { processStep } from './process-step.ts'
import { createProcessState, type ProcessState } from './state.ts'
import { currentsOf, instancesOf, othersIn, phaseOf } from './views.ts'

/** The table of transitions, for readers. `UPDATE_GOLDEN=1` writes it anew; review it like any other change. */
const TRANSITIONS = join(import.meta.dirname, 'transitions.txt')

const NAMES = Object.keys(EVENTS) as EventName[]

/** `stopped: signal, wake`; `-` for no change, `=` for new facts about the same situation. */
function describeOutcome(before: ProcessState, { state, effects }: ProcessStep): string {
  if (state === before && effects.length === 0) return '-'
  const done = effects.map((effect) => effect.do).filter((name) => name !== 'write')
  const after = describeState(state)
  if (after === describeState(before) && done.length === 0) return '='
  return done.length === 0 ? after : `${after}: ${done.join(', ')}`
}

/** Writes the outcomes of one event, each with the situations that lead to it. */
function describeEvent(name: EventName): string {
  const outcomes = Map.groupBy(SITUATIONS, ([, state]) => describeOutcome(state, takeEvent(state, name)))
  const rows = [...outcomes].map(([outcome, found]) => `${outcome}\n    ${found.map(([each]) => each).join(' | ')}`)
  return `## ${name}\n\n${rows.join('\n')}\n`
}

test('every event has one outcome from every situation', () => {
  const situations = SITUATIONS.map(([name, state]) => `${name}\n    ${describeState(state)}`)
  const text = `# Situations\n\n${situations.join('\n')}\n\n# Events\n\n${NAMES.map(describeEvent).join('\n')}`
  if (process.env['UPDATE_GOLDEN']) writeFileSync(TRANSITIONS, text)
  assert.equal(text, readFileSync(TRANSITIONS, 'utf8'))
})

/** Checks what holds after any event in any situation. */
function assertAllowed(before: ProcessState, { state, effects }: ProcessStep): void {
  const spawned = effects.filter((effect) => effect.do === 'spawn')
  if (before.isClosing) assert.deepEqual(spawned, [])
  for (const { invocation } of spawned) {
    const slot = Number(invocation.token.slice(invocation.token.indexOf('.') + 1, invocation.token.indexOf('#')))
    assert.ok(invocation.number > (before.numbers[slot - 1] ?? 0), `${invocation.token} is a new number`)
  }
  const seconds = state.slots.filter(({ second }) => second !== null).map(({ number }) => number)
  assert.deepEqual(seconds, state.reload && seconds.length > 0 ? [state.reload.slot] : [])
  const keys = instancesOf(state).map(({ key }) => key)
  assert.equal(new Set(keys).size, keys.length)
}

for (const [situation, state] of SITUATIONS)
  test(`every event keeps the rules in ${situation}`, () => {
    for (const name of NAMES) assertAllowed(state, takeEvent(state, name))
  })

test('ignores facts about another invocation, and timers of another state', () => {
  const facts = ['spawned', 'spawn-failed', 'ready', 'probe-failed', 'exited', 'cleaned'] as const
  const context = { nowMs: 0, random: 0.5, probeAddressOf: () => null }
  for (const [situation, state] of SITUATIONS) {
    for (const name of facts) {
      const event = EVENTS[name](state)
      for (const by of [-1, 1]) {
        const late = { ...event, number: event.number + by }
        assert.equal(processStep(state, late, context).state, state, `${name} in ${situation}`)
      }
    }
    const elapsed = EVENTS.elapsed(state)
    const late = { ...elapsed, seq: elapsed.seq - 1 }
    assert.equal(processStep(state, late, context).state, state, `elapsed in ${situation}`)
  }
})

const found = (name: Situation): ProcessState =>
  SITUATIONS.find(([situation]) => situation === name)?.[1] ?? assert.fail(name)

test('a stop ends the new instance of a reload, and leaves the current one to its turn', () => {
  for (const name of ['canary', 'replacement'] as const) {
    const { state } = takeEvent(found(name), 'stop')
    assert.deepEqual(currentsOf(state).map(phaseOf), ['running'])
    assert.deepEqual(state.slots.flatMap(othersIn).map(phaseOf), ['stopping'])
  }
})

test('a release that is done is noted for the release that it was begun for', () => {
  const begun = found('release begun')
  const exit = { ...EVENTS.exited(begun), exit: { code: 0, signal: null } }
  const context = { nowMs: 0, random: 0.5, probeAddressOf: () => null }
  const exited = processStep(begun, exit, context).state
  const { release, spec } = processStep(exited, EVENTS.cleaned(exited), context).state
  assert.deepEqual([spec.run, release.done, release.begun], ['release', 'v1', null])
})

test('a process whose schedule is removed starts at once', () => {
  const scheduled = found('scheduled')
  const context = { nowMs: 0, random: 0.5, probeAddressOf: () => null }
  const spec = { ...scheduled.spec, schedule: null }
  const { state, effects } = processStep(scheduled, { type: 'declare', spec }, context)
  assert.deepEqual([currentsOf(state).map(phaseOf), state.schedule.nextMs], [['waiting'], null])
  assert.deepEqual(effects, [{ do: 'wake-schedule', afterMs: null }])
})

test('a process starts with the declared number of stopped instances', () => {
  const state = createProcessState(createSpec({ instances: 3 }), 0, { numbers: [4] })
  assert.deepEqual(
    currentsOf(state).map(({ id, machine }) => `${id} ${machine.phase.is} ${machine.number}`),
    ['worker.1 stopped 4', 'worker.2 stopped 0', 'worker.3 stopped 0'],
  )
})
