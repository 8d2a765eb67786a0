import { type ProcessEffect, type ProcessEvent } from './events.ts'
import { Instance, type InstanceDependencies } from './instance.ts'
import { processStep } from './process-step.ts'
import type { InstanceState, ProcessState } from './state.ts'
import type { ProcessSpec } from '../spec.ts'
import { findInstance, instancesOf } from './views.ts'

/** Functions that a process uses, beyond those of its instances. */
export interface ProcessDependencies extends InstanceDependencies {
  /** Returns the address on which only this invocation is probed; null if it shares no socket. */
  readonly probeAddressOf: (spec: ProcessSpec, token: string) => string | null
  readonly closeSockets: (spec: ProcessSpec) => void
  /** Called after each event that changed the state. */
  readonly changed: (managed: ManagedProcess) => void
}

/**
 * Holds the state of one declared managed. `dispatch` is the only way to change it: the reducer decides, and this class
 * carries out the effects.
 */
export class ManagedProcess {
  readonly #dependencies: ProcessDependencies
  readonly #instances = new Map<number, Instance>()
  /** Events that came while effects were carried out. */
  readonly #queue: ProcessEvent[] = []
  #state: ProcessState
  #isBusy = false
  #timer: NodeJS.Timeout | undefined

  constructor(state: ProcessState, dependencies: ProcessDependencies) {
    this.#state = state
    this.#dependencies = dependencies
    this.#openInstances()
  }

  get state(): ProcessState {
    return this.#state
  }

  get name(): string {
    return this.#state.spec.name
  }

  /** All instances, the current one of each slot before those beside it. */
  get instances(): readonly Instance[] {
    return instancesOf(this.#state).map(({ key }) => this.#instances.get(key) as Instance)
  }

  /** The current instance of each slot. */
  get currents(): readonly Instance[] {
    return this.#state.slots.map(({ current }) => this.#instances.get(current.key) as Instance)
  }

  dispatch = (event: ProcessEvent): void => {
    this.#queue.push(event)
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#take(next)
    } finally {
      this.#isBusy = false
    }
  }

  /** Ends all timers and probes. The programs keep running. */
  leave(): void {
    clearTimeout(this.#timer)
    for (const instance of this.#instances.values()) instance.leave()
  }

  #take(event: ProcessEvent): void {
    const { nowMs, random, probeAddressOf } = this.#dependencies
    const before = this.#state
    const { state, effects } = processStep(before, event, { nowMs: nowMs(), random: random(), probeAddressOf })
    this.#state = state
    this.#openInstances()
    for (const effect of effects) this.#carryOut(effect)
    for (const effect of effects) if (effect.do === 'retire') this.#instances.delete(effect.key)
    if (state !== before) this.#dependencies.changed(this)
  }

  #openInstances(): void {
    for (const instance of instancesOf(this.#state))
      if (!this.#instances.has(instance.key)) this.#instances.set(instance.key, this.#createInstance(instance))
  }

  #createInstance(initial: InstanceState): Instance {
    return new Instance(initial, this.#dependencies, this.dispatch, () => findInstance(this.#state, initial.key))
  }

  #carryOut(effect: ProcessEffect): void {
    if ('key' in effect) this.#instances.get(effect.key)?.carryOut(effect)
    else if (effect.do === 'write') this.#dependencies.write(effect.news)
    else if (effect.do === 'wake-schedule') this.#setTimer(effect.afterMs)
    else this.#dependencies.closeSockets(this.#state.spec)
  }

  #setTimer(afterMs: number | null): void {
    clearTimeout(this.#timer)
    this.#timer = afterMs === null ? undefined : setTimeout(() => this.dispatch({ type: 'tick' }), afterMs)
  }
}
