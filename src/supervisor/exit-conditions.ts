import type { ProcessEvent } from '../control/protocol.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import type { ManagedProcess } from './process/managed.ts'
import type { InstanceState } from './process/state.ts'
import { runsToCompletion } from '../core/completion.ts'
import { currentsOf, hasProcess, phaseOf } from './process/views.ts'
import type { Supervisor } from './supervisor.ts'

/** Condition on which `up` ends: the first failure, the first exit, or only a command. */
export type ExitOn = 'failure' | 'any' | 'never'

/** Reason for which the supervisor stops everything and ends. */
export interface Reason {
  readonly code: ExitCode
  readonly message: string
}

/** Returns why an event ends everything; null if it does not. */
export function endsBy(supervisor: Supervisor, event: ProcessEvent, exitOn: ExitOn): Reason | null {
  const state = event.process === null ? undefined : supervisor.processes.get(event.process)?.state
  // A scheduled process has its next run.
  if (event.type === 'failed' && exitOn !== 'never' && !state?.spec.schedule)
    return {
      code: EXIT.failed,
      message: `${event.instance} failed: everything is stopped, as --exit-on=${exitOn} says`,
    }
  const isService = state !== undefined && !runsToCompletion(state.spec) && state.desired === 'running' && !state.reload
  if (event.type === 'exited' && exitOn === 'any' && isService)
    return {
      code: event.exit?.code === 0 ? EXIT.done : EXIT.failed,
      message: `${event.instance} ended: everything is stopped, as --exit-on=any says`,
    }
  return null
}

/** Returns why the supervisor ends: no process runs, and none will start. */
export function whenIdle(supervisor: Supervisor): Reason | null {
  if ([...supervisor.processes.values()].some((managed) => canGoOn(supervisor, managed))) return null
  const hasFailed = supervisor.instances().some(({ state }) => phaseOf(state) === 'failed')
  return { code: hasFailed ? EXIT.failed : EXIT.done, message: 'nothing is left that runs' }
}

function canGoOn(supervisor: Supervisor, managed: ManagedProcess): boolean {
  const { state } = managed
  if (state.desired === 'stopped') return false
  if (state.spec.schedule !== null) return true
  const canStart = (instance: InstanceState): boolean =>
    phaseOf(instance) === 'backoff' || (phaseOf(instance) === 'waiting' && supervisor.blockedBy(managed).length === 0)
  return currentsOf(state).some((instance) => hasProcess(instance) || canStart(instance))
}
