import type { LastExit } from '../../control/protocol.ts'
import type { ProcessSpec } from '../spec.ts'
import { initialState, type State } from './machine-state.ts'
import { instanceId } from './names.ts'
import type { ReloadStrategy } from '../../core/reload-strategy.ts'

/**
 * State of one declared process: plain, frozen data. `processStep` is its only writer; everything else reads it, sends
 * events and carries out effects.
 */
export interface ProcessState {
  readonly spec: ProcessSpec
  readonly desired: 'running' | 'stopped'
  /** The supervisor is shutting down: no event starts anything. */
  readonly isClosing: boolean
  /** Number of instances that `scale` set; null if it is the declared one. */
  readonly scaled: number | null
  /** Slots in the order of their numbers. */
  readonly slots: readonly Slot[]
  /** Highest invocation number per slot, starting with slot 1. It covers slots that `scale` removed. */
  readonly numbers: readonly number[]
  readonly reload: Reload | null
  /** Outcome of the last reload. */
  readonly lastReload: { readonly id: number; readonly outcome: ReloadOutcome } | null
  readonly release: Release
  readonly schedule: ScheduleState
  /** Key of the next instance. */
  readonly nextKey: number
}

/** Numbered place of a process, with the instance in it. */
export interface Slot {
  readonly number: number
  readonly current: InstanceState
  /** Second instance of a reload in progress. */
  readonly second: Second | null
  /** Instances that an earlier supervisor's reload left. They are stopping. */
  readonly leftovers: readonly InstanceState[]
  /** `scale` removes the slot once its instances have stopped. */
  readonly isLeaving: boolean
}

interface Second {
  readonly role: 'canary' | 'replacement' | 'draining'
  readonly instance: InstanceState
}

export interface InstanceState {
  /** Identifies the instance within its process; two instances of a slot share an `id`. */
  readonly key: number
  readonly id: string
  readonly spec: ProcessSpec
  readonly isCanary: boolean
  readonly machine: State
  readonly invocation: Invocation | null
  readonly sinceMs: number
  readonly readyMs: number | null
  readonly exits: readonly LastExit[]
  /** Last output of an invocation that exited unasked, or whose probe failed. */
  readonly lastDetails: string
  /** Unmet dependencies, by process name. */
  readonly waitingFor: readonly string[]
  readonly waitingReason: string
  /** A dependency cannot be met, so the wait does not end without a command. */
  readonly isBlocked: boolean
}

export interface Invocation {
  readonly token: string
  readonly number: number
  /** Hash of the specification it was started from. */
  readonly hash: string
  readonly startedMs: number
  /** Socket for probes only; on a shared socket another instance could answer. */
  readonly probeAddress: string | null
  readonly pid: number | null
  readonly startTicks: number
}

/** A reload in progress. It replaces one slot after the other. */
export interface Reload {
  readonly id: number
  /** Specification that the instances get. */
  readonly spec: ProcessSpec
  readonly strategy: ReloadStrategy
  /** The only slot to replace; null for all. */
  readonly only: number | null
  readonly startedMs: number
  readonly replaced: number
  /** Number of the slot whose instance is being replaced. */
  readonly slot: number
  readonly phase: ReloadPhase
  /** A stop came: the replacement is ended, and no further slot is begun. */
  readonly isInterrupted: boolean
}

/**
 * `next`: the slot has not been begun; it may wait for leftovers to stop. `canary`, `replacement`:
 * the second instance starts. `canary-stopping`: the canary was ready. `draining`: the replacement is the current
 * instance, the old one stops. `restarting`: the current instance starts again.
 */
export type ReloadPhase = 'next' | 'canary' | 'canary-stopping' | 'replacement' | 'draining' | 'restarting'

export type ReloadOutcome =
  | { readonly ok: true; readonly replaced: number; readonly tookMs: number }
  /** The old instances keep running, except for those that were replaced before. */
  | {
      readonly ok: false
      readonly replaced: number
      readonly instance: string
      readonly reason: string
      readonly details: string
    }

/** Which release a process that runs once per release has run for. */
interface Release {
  readonly done: string | null
  /** Release whose run was begun and has not succeeded. */
  readonly begun: string | null
  /** Release that runs when the run for an earlier release has ended. */
  readonly due: string | null
  /** The run failed while others were serving: they do not wait for it. */
  readonly isWaived: boolean
}

export interface ScheduleState {
  readonly nextMs: number | null
  /** Time at which `nextMs` was computed. */
  readonly plannedMs: number | null
  readonly firedMs: number | null
}

export interface InitialFacts {
  readonly scaled?: number | null | undefined
  readonly numbers?: readonly number[] | undefined
  readonly done?: string | null | undefined
  readonly begun?: string | null | undefined
}

/** Returns the state of a process that does not run yet. */
export function createProcessState(spec: ProcessSpec, nowMs: number, facts: InitialFacts = {}): ProcessState {
  const { scaled = null, numbers = [], done = null, begun = null } = facts
  const empty: ProcessState = {
    spec,
    desired: 'stopped',
    isClosing: false,
    scaled,
    slots: [],
    numbers,
    reload: null,
    lastReload: null,
    release: { done, begun, due: null, isWaived: false },
    schedule: { nextMs: null, plannedMs: null, firedMs: null },
    nextKey: 1,
  }
  const all = Array.from({ length: spec.instances }, (_, index) => index + 1)
  return all.reduce((state, number) => addSlot(state, number, nowMs), empty)
}

/** Adds a slot with a stopped instance. */
export function addSlot(state: ProcessState, number: number, nowMs: number): ProcessState {
  const { spec, nextKey } = state
  const current = createInstance({
    key: nextKey,
    id: instanceId(spec.name, number),
    spec,
    nowMs,
    number: lastNumberOf(state, number),
  })
  const slots = [...state.slots, { number, current, second: null, leftovers: [], isLeaving: false }]
  return { ...state, slots: slots.toSorted((one, other) => one.number - other.number), nextKey: nextKey + 1 }
}

export const lastNumberOf = ({ numbers }: ProcessState, slot: number): number => numbers[slot - 1] ?? 0

interface NewInstance {
  readonly key: number
  readonly id: string
  readonly spec: ProcessSpec
  readonly nowMs: number
  /** Number of the last invocation in the slot. */
  readonly number: number
  readonly isCanary?: boolean
}

export function createInstance({ key, id, spec, nowMs, number, isCanary = false }: NewInstance): InstanceState {
  return {
    key,
    id,
    spec,
    isCanary,
    machine: { ...initialState, number },
    invocation: null,
    sinceMs: nowMs,
    readyMs: null,
    exits: [],
    lastDetails: '',
    waitingFor: [],
    waitingReason: '',
    isBlocked: false,
  }
}

/** Returns the facts that a process leaves for a later process of the same name. */
export const factsOf = ({ numbers, release: { done, begun } }: ProcessState): InitialFacts => ({ numbers, done, begun })
