import type { Exit } from '../../control/protocol.ts'
import type { StartFailure } from '../shim/messages.ts'
import type { ProcessSpec } from '../spec.ts'
import type { News } from '../state/event-log.ts'
import type { InstanceState, Invocation, ProcessState } from './state.ts'

/** Everything that can happen to a process. `key` names an instance; `number` its invocation, so that a late fact has no effect. */
export type ProcessEvent = Command | ReloadEvent | ReleaseEvent | Fact

/** A person or a declaration asks. */
export type Command =
  /** Run the process: all instances start, or its schedule. */
  | { readonly type: 'start' }
  /** Want the process stopped, so that nothing of it starts. Its instances get `stop-instance` in their turn. */
  | { readonly type: 'stop' }
  /** Want the process to run, without starting its instances. */
  | { readonly type: 'enable' }
  /** Stop for good: the supervisor shuts down. */
  | { readonly type: 'close' }
  | { readonly type: 'start-instance'; readonly key: number }
  | { readonly type: 'stop-instance'; readonly key: number }
  | { readonly type: 'kill-instance'; readonly key: number }
  | { readonly type: 'restart-instance'; readonly key: number }
  | { readonly type: 'scale'; readonly count: number }
  /** Use another specification without touching what runs. */
  | { readonly type: 'declare'; readonly spec: ProcessSpec }

type ReloadEvent =
  /** Replace all instances. `blocker` says why the specification can never start. */
  | { readonly type: 'reload'; readonly spec: ProcessSpec; readonly blocker: string | null }
  /** Replace one instance, under the same specification. */
  | { readonly type: 'replace'; readonly key: number }

export type ReleaseEvent =
  | { readonly type: 'release'; readonly spec: ProcessSpec; readonly release: string }
  /** The process has run for the release before. */
  | { readonly type: 'skip-release' }
  /** The run failed; others wait for it unless `isWaived`. */
  | { readonly type: 'release-failed'; readonly isWaived: boolean }

/** The shim, a probe, a timer or another process reports. */
export type Fact =
  | {
      readonly type: 'dependencies'
      readonly unmet: readonly string[]
      readonly reason: string
      readonly isBlocked: boolean
    }
  | { readonly type: 'adopted'; readonly found: AdoptedInvocation; readonly desired: 'running' | 'stopped' }
  | {
      readonly type: 'spawned'
      readonly key: number
      readonly number: number
      readonly pid: number
      readonly startTicks: number
    }
  | { readonly type: 'spawn-failed'; readonly key: number; readonly number: number; readonly failure: StartFailure }
  | { readonly type: 'ready'; readonly key: number; readonly number: number }
  | {
      readonly type: 'probe-failed'
      readonly key: number
      readonly number: number
      readonly reason: string
      /** Last output, for a person. */
      readonly details: string
    }
  | ExitedFact
  /** Output of an invocation whose exit was reported without it. */
  | { readonly type: 'output-read'; readonly key: number; readonly news: News; readonly details: string }
  | { readonly type: 'cleaned'; readonly key: number; readonly number: number; readonly left: readonly string[] }
  | { readonly type: 'elapsed'; readonly key: number; readonly seq: number }
  /** The timer of the schedule fired. */
  | { readonly type: 'tick' }

interface ExitedFact {
  readonly type: 'exited'
  readonly key: number
  readonly number: number
  readonly exit: Exit
  /** Description of the exit, for a person. */
  readonly words: string
  /** Reason of a permanent failure; null if a restart may help. */
  readonly permanent: string | null
  /** Last output, for a person; null if `output-read` follows. */
  readonly details: string | null
}

/** An invocation that an earlier supervisor started. */
export interface AdoptedInvocation {
  readonly slot: number
  readonly invocation: Invocation & { readonly pid: number }
  readonly ready: boolean
  readonly restarts: number
  /** The stop signal was sent before; a second one would abort the work of several workers. */
  readonly stopping: boolean
  /** A reload had started it beside the current instance, or had replaced it. */
  readonly isLeftover: boolean
  /** The shim kept it: it need not be told about the invocation. */
  readonly isKept: boolean
}

export type ProcessEffect =
  | { readonly do: 'spawn'; readonly key: number; readonly invocation: Invocation }
  | { readonly do: 'adopt'; readonly key: number; readonly invocation: Invocation; readonly isKept: boolean }
  | { readonly do: 'signal'; readonly key: number; readonly signal: NodeJS.Signals }
  /** Ask the program to reload itself. */
  | { readonly do: 'hang-up'; readonly key: number }
  | { readonly do: 'clean'; readonly key: number }
  | { readonly do: 'wake'; readonly key: number; readonly afterMs: number; readonly seq: number }
  | { readonly do: 'watch-ready'; readonly key: number }
  | { readonly do: 'watch-alive'; readonly key: number }
  /** The invocation and its descendants are gone. */
  | { readonly do: 'end-invocation'; readonly key: number; readonly invocation: Invocation }
  /** The instance was removed from the process, in this last state. */
  | { readonly do: 'retire'; readonly key: number; readonly instance: InstanceState }
  | { readonly do: 'write'; readonly news: News }
  /** Read the last output of an invocation, and report its exit with it. */
  | { readonly do: 'read-output'; readonly key: number; readonly invocation: Invocation; readonly news: News }
  /** Set the timer of the schedule; null clears it. */
  | { readonly do: 'wake-schedule'; readonly afterMs: number | null }
  /** Close the sockets of the process: connections must be refused, not wait for an answer. */
  | { readonly do: 'close-sockets' }

export interface ProcessContext {
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  /** Returns the address on which only this invocation is probed; null if it shares no socket. */
  readonly probeAddressOf: (spec: ProcessSpec, token: string) => string | null
}

export interface ProcessStep {
  readonly state: ProcessState
  readonly effects: readonly ProcessEffect[]
}

export const unchanged = (state: ProcessState): ProcessStep => ({ state, effects: [] })

/** Takes one more step, and keeps the effects of both in order. */
export function andThen({ state, effects }: ProcessStep, next: (state: ProcessState) => ProcessStep): ProcessStep {
  const after = next(state)
  return { state: after.state, effects: after.effects.length === 0 ? effects : [...effects, ...after.effects] }
}

/** Takes one step per item. */
export const forEach = <Item>(
  state: ProcessState,
  items: readonly Item[],
  next: (state: ProcessState, item: Item) => ProcessStep,
): ProcessStep => items.reduce((step, item) => andThen(step, (reached) => next(reached, item)), unchanged(state))
