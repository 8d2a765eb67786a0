import { forEach, type ProcessContext, type ProcessStep, type ReleaseEvent, unchanged } from './events.ts'
import { withSpec } from './commands-step.ts'
import { stepInstance } from './instance-step.ts'
import type { ProcessState } from './state.ts'
import { currentsOf, hasProcess } from './views.ts'

/** Steps of a process that runs once per release. */

type ReleaseEventOf<Type extends ReleaseEvent['type']> = Extract<ReleaseEvent, { type: Type }>

/** Runs the process for a release. A run for the same release continues; a run for another release ends first. */
export function release(state: ProcessState, event: ReleaseEventOf<'release'>, context: ProcessContext): ProcessStep {
  if (state.isClosing) return unchanged(state)
  const { release: name, spec } = event
  const next: ProcessState = { ...withSpec(state, spec), desired: 'running' }
  const isUnderWay = state.release.begun === name && currentsOf(state).some(hasProcess)
  const due = isUnderWay ? null : name
  return beginDue({ ...next, release: { ...state.release, due, isWaived: false } }, context)
}

/** Begins the run for a release once an earlier run has ended. */
export function beginDue(state: ProcessState, context: ProcessContext): ProcessStep {
  const { due } = state.release
  if (due === null || currentsOf(state).some(hasProcess)) return unchanged(state)
  const begun: ProcessState = { ...state, release: { ...state.release, begun: due, due: null } }
  return forEach(begun, currentsOf(state), (reached, { key }) =>
    stepInstance(reached, key, { type: 'restart' }, context),
  )
}

/** Lets others start without a run: the process has run for the release before. */
export function skipRelease(state: ProcessState, _event: unknown, context: ProcessContext): ProcessStep {
  if (state.isClosing) return unchanged(state)
  const next: ProcessState = { ...state, desired: 'running', release: { ...state.release, isWaived: false } }
  return forEach(next, currentsOf(state), (reached, { key }) => stepInstance(reached, key, { type: 'skip' }, context))
}

/** Records that the run failed; others wait for it unless it is waived. */
export const releaseFailed = (state: ProcessState, { isWaived }: ReleaseEventOf<'release-failed'>): ProcessStep =>
  unchanged({ ...state, release: { ...state.release, isWaived } })
