import { createProcessState, factsOf, type InitialFacts } from './process/state.ts'
import type { Instance } from './process/instance.ts'
import { ManagedProcess, type ProcessDependencies } from './process/managed.ts'
import { blockersOf, describeBlockers, describeWaiting, unmetDependencies } from './process/dependencies.ts'
import { currentsOf, isIdle, phaseOf } from './process/views.ts'
import type { ProcessSpec } from './spec.ts'

/**
 * The processes of a supervisor. Tells each process when its dependencies change, and wakes those who wait for a
 * condition.
 */
export class Processes {
  readonly declared = new Map<string, ManagedProcess>()
  /** Processes that run but were removed from the declaration. They are stopping. */
  readonly undeclared = new Map<string, ManagedProcess>()
  /** Facts about names that are not declared, so that their invocation numbers are never reused. */
  readonly #memory: Map<string, InitialFacts>
  readonly #waiters = new Set<() => void>()
  readonly #dependencies: Omit<ProcessDependencies, 'changed'>
  readonly #onChange: () => void
  #isLooking = false
  #isLeft = false

  constructor(
    remembered: ReadonlyMap<string, InitialFacts>,
    dependencies: Omit<ProcessDependencies, 'changed'>,
    onChange: () => void,
  ) {
    this.#memory = new Map(remembered)
    this.#dependencies = dependencies
    this.#onChange = onChange
  }

  get memory(): ReadonlyMap<string, InitialFacts> {
    return this.#memory
  }

  get all(): readonly ManagedProcess[] {
    return [...this.declared.values(), ...this.undeclared.values()]
  }

  get instances(): readonly Instance[] {
    return this.all.flatMap(({ instances }) => instances)
  }

  add(spec: ProcessSpec): ManagedProcess {
    const managed = this.#create(spec)
    this.declared.set(spec.name, managed)
    return managed
  }

  /** Adds a process that is stopped and then forgotten. */
  addUndeclared(spec: ProcessSpec): ManagedProcess {
    const managed = this.undeclared.get(spec.name) ?? this.#create(spec)
    this.undeclared.set(spec.name, managed)
    return managed
  }

  /** Removes a process from the declaration. What still runs of it stops first, and starts no more. */
  remove(name: string): void {
    const managed = this.declared.get(name)
    if (!managed) return
    this.declared.delete(name)
    this.undeclared.set(name, managed)
    this.#memory.set(name, factsOf(managed.state))
    managed.dispatch({ type: 'close' })
    for (const instance of managed.instances) instance.stop()
    this.#forgetIdle(managed)
  }

  /** Resolves when the condition holds, or when the supervisor leaves. Checks after every change. */
  until = (condition: () => boolean): Promise<void> =>
    new Promise((settle) => {
      const look = (): void => {
        if (!this.#isLeft && !condition()) return
        this.#waiters.delete(look)
        settle()
      }
      this.#waiters.add(look)
      look()
    })

  /** Returns the names of processes that keep this one from ever starting. */
  blockersOf = ({ state }: ManagedProcess): readonly string[] => blockersOf(this.declared, state.spec)

  /** Says why a process would never start with a specification; null if it may. */
  describeBlockers = (spec: ProcessSpec): string | null => describeBlockers(this.declared, spec)

  /** Checks dependencies and waiters soon: once for all changes of one turn, and never inside a change. */
  lookAgain = (): void => {
    if (this.#isLooking) return
    this.#isLooking = true
    queueMicrotask(() => {
      this.#isLooking = false
      for (const managed of this.declared.values()) this.#reportDependencies(managed)
      for (const look of this.#waiters) look()
    })
  }

  /** Ends all timers and probes; the programs keep running. Every wait ends. */
  leave(): void {
    this.#isLeft = true
    for (const managed of this.all) managed.leave()
    this.lookAgain()
  }

  #create(spec: ProcessSpec): ManagedProcess {
    const { nowMs } = this.#dependencies
    const state = createProcessState(spec, nowMs(), this.#memory.get(spec.name))
    this.#memory.delete(spec.name)
    return new ManagedProcess(state, { ...this.#dependencies, changed: (managed) => this.#changed(managed) })
  }

  /** Forgets an undeclared process once it has stopped; its numbers are kept for a later process of the same name. */
  #forgetIdle(managed: ManagedProcess): void {
    const { name, state } = managed
    if (this.undeclared.get(name) !== managed || !isIdle(state)) return
    managed.leave()
    this.undeclared.delete(name)
    if (!this.declared.has(name)) this.#memory.set(name, factsOf(state))
  }

  #changed(managed: ManagedProcess): void {
    this.#forgetIdle(managed)
    this.#onChange()
    this.lookAgain()
  }

  #reportDependencies(managed: ManagedProcess): void {
    const { state } = managed
    if (!currentsOf(state).some((instance) => phaseOf(instance) === 'waiting')) return
    // During a reload, the dependencies of the new specification count.
    const spec = state.reload?.spec ?? state.spec
    const unmet = unmetDependencies(this.declared, spec)
    const isBlocked = unmet.length > 0 && blockersOf(this.declared, spec).length > 0
    const reason = unmet.length > 0 ? describeWaiting(this.declared, spec) : ''
    managed.dispatch({ type: 'dependencies', unmet, reason, isBlocked })
  }
}
