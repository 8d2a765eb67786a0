import assert from 'node:assert/strict'
import { runsToCompletion } from '../../src/core/completion.ts'
import { currentDependencies } from '../../src/supervisor/process/dependencies.ts'
import type { Instance } from '../../src/supervisor/process/instance.ts'
import type { ManagedProcess, ProcessDependencies } from '../../src/supervisor/process/managed.ts'
import type { Invocation } from '../../src/supervisor/process/state.ts'
import { Processes } from '../../src/supervisor/processes.ts'
import type { Supervisor } from '../../src/supervisor/supervisor.ts'
import type { ProcessSpec } from '../../src/supervisor/spec.ts'
import { createFakeWorld } from './world.ts'

/** Enough turns for any command; a command that takes more waits for ever. */
const MAX_TURNS = 2000

/**
 * A supervisor whose programs obey: each is ready soon after its start, and exits soon after its stop signal. A job exits
 * by itself. One thing
 * happens per turn, so that a test can interrupt a command after each of its turns.
 */
export class CommandWorld {
  readonly supervisor: Supervisor
  readonly processes: Processes
  /** Tokens of programs that run. */
  readonly running = new Set<string>()
  readonly #started = new Set<string>()
  readonly #pending: (() => void)[] = []
  #isEnding = false

  constructor() {
    const { dependencies } = createFakeWorld()
    this.processes = new Processes(new Map(), { ...dependencies, ...this.#programs() }, () => {})
    this.supervisor = this.#createSupervisor()
  }

  /** Lets the next thing happen. Returns false if nothing is under way. */
  async turn(): Promise<boolean> {
    const next = this.#pending.shift()
    next?.()
    // Promises and microtasks of what has happened come first.
    await new Promise((settle) => setImmediate(settle))
    return next !== undefined || this.#pending.length > 0
  }

  /** Takes turns until nothing is under way. */
  async comeToRest(): Promise<void> {
    for (let turns = 0; turns < MAX_TURNS; turns++) if (!(await this.turn())) return
    assert.fail('The processes do not come to rest.')
  }

  #programs(): Pick<ProcessDependencies, 'launch' | 'signal' | 'clean'> {
    const owners = new Map<string, Instance>()
    const end = (token: string): void => {
      if (this.running.delete(token)) owners.get(token)?.exited({ code: 0, signal: null })
    }
    return {
      launch: (instance: Instance, { token, number }: Invocation) => {
        assert.ok(!this.#started.has(token), `${token} is a new number`)
        assert.ok(!this.#isEnding, 'nothing starts while everything is stopped')
        this.#started.add(token)
        owners.set(token, instance)
        this.#pending.push(
          () => {
            this.running.add(token)
            instance.spawned(1000 + number, 1)
          },
          () => instance.notified('READY=1'),
        )
        if (runsToCompletion(instance.state.spec)) this.#pending.push(() => end(token))
      },
      signal: ({ token }) => void this.#pending.push(() => end(token)),
      clean: () => new Promise((settle) => this.#pending.push(() => settle([]))),
    }
  }

  #createSupervisor(): Supervisor {
    const { processes } = this
    const { declared, undeclared, until, lookAgain, describeBlockers } = processes
    const isEnding = (): boolean => this.#isEnding
    const end = (): void => {
      this.#isEnding = true
      for (const managed of processes.all) managed.dispatch({ type: 'close' })
    }
    return {
      processes: declared,
      undeclared,
      until,
      lookAgain,
      describeBlockers,
      blockedBy: (managed: ManagedProcess) => processes.blockersOf(managed),
      dependenciesOf: (spec: ProcessSpec) => currentDependencies(declared, spec),
      instances: () => processes.instances,
      add: (spec: ProcessSpec) => processes.add(spec),
      remove: (name: string) => processes.remove(name),
      declare: () => {},
      adopt: () => [],
      closeForgotten: () => {},
      write: () => {},
      sockets: { close: () => {} },
      cleanOrphans: async () => [],
      end,
      get isEnding() {
        return isEnding()
      },
      closing: false,
    } as unknown as Supervisor
  }
}
