import * as commands from './commands-step.ts'
import { andThen, type ProcessContext, type ProcessEvent, type ProcessStep, unchanged } from './events.ts'
import * as facts from './facts-step.ts'
import { stepInstance } from './instance-step.ts'
import * as releases from './release-step.ts'
import { advanceReload, beginReload, beginReplacement } from './reload-step.ts'
import { tick } from './schedule-step.ts'
import type { ProcessState, Slot } from './state.ts'
import { instancesIn, isMoving, phaseOf } from './views.ts'

/**
 * Decides what a process does next, without doing anything: takes an event and returns the new state and the effects to
 * carry out. It is the only writer of process state. Every event has an answer in every state; an event that comes too
 * late changes nothing.
 *
 * Each wait has an owner and a bound:
 * - `starting` without a pid: the shim answers or is lost, and then the start has failed.
 * - `starting`: the readiness timeout. `stopping`: the stop timeout, then 10 s after SIGKILL, then the cleanup's 10 s.
 * - `backoff`: its delay. `waiting`: the dependencies; commands stop waiting when one of them is blocked.
 * - A job that runs: its own end, or a stop.
 * - A reload: the waits of the instance that it starts or stops. A stop, a shutdown or a smaller scale ends it.
 */
export function processStep(state: ProcessState, event: ProcessEvent, context: ProcessContext): ProcessStep {
  const answer = ANSWERS[event.type] as Answer<ProcessEvent>
  return settle(answer(state, event, context), context)
}

type Answer<Event> = (state: ProcessState, event: Event, context: ProcessContext) => ProcessStep

const ANSWERS: { readonly [Type in ProcessEvent['type']]: Answer<Extract<ProcessEvent, { type: Type }>> } = {
  start: commands.start,
  stop: commands.stop,
  enable: commands.enable,
  close: commands.close,
  'start-instance': commands.startInstance,
  'stop-instance': commands.stopInstance,
  'kill-instance': commands.killInstance,
  'restart-instance': commands.restartInstance,
  scale: commands.scale,
  declare: commands.declare,
  reload: beginReload,
  replace: beginReplacement,
  release: releases.release,
  'skip-release': releases.skipRelease,
  'release-failed': releases.releaseFailed,
  dependencies: facts.dependencies,
  adopted: facts.adopted,
  spawned: facts.spawned,
  'spawn-failed': facts.spawnFailed,
  ready: facts.ready,
  'probe-failed': facts.probeFailed,
  exited: facts.exited,
  'output-read': facts.outputRead,
  cleaned: facts.cleaned,
  elapsed: (state, { key, seq }, context) => stepInstance(state, key, { type: 'elapsed', seq }, context),
  tick,
}

/** Takes every step that follows from the state itself. Each pass ends a phase, so a few passes are the bound. */
function settle(reached: ProcessStep, context: ProcessContext): ProcessStep {
  const next = andThen(
    andThen(
      andThen(reached, (state) => advanceReload(state, context)),
      (state) => releases.beginDue(state, context),
    ),
    removeGone,
  )
  return next.state === reached.state ? reached : settle(next, context)
}

/** Removes leftovers that have stopped, and slots that `scale` has emptied. */
function removeGone(state: ProcessState): ProcessStep {
  const gone = state.slots.flatMap((slot) =>
    isEmptied(slot) ? instancesIn(slot) : slot.leftovers.filter((one) => !isMoving(one)),
  )
  if (gone.length === 0) return unchanged(state)
  const slots = state.slots
    .filter(({ current }) => !gone.includes(current))
    .map((slot) => ({ ...slot, leftovers: slot.leftovers.filter(isMoving) }))
  return {
    state: { ...state, slots },
    effects: gone.map((instance) => ({ do: 'retire', key: instance.key, instance })),
  }
}

/** Says whether nothing is left in a slot that `scale` removes. A slot with survivors stays, so that nothing starts beside them. */
const isEmptied = (slot: Slot): boolean =>
  slot.isLeaving &&
  slot.current.invocation === null &&
  instancesIn(slot).every((one) => !isMoving(one) && phaseOf(one) !== 'running')
