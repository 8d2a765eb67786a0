import type { Exit } from '../../src/control/protocol.ts'
import type { Instance } from '../../src/supervisor/process/instance.ts'
import { ManagedProcess, type ProcessDependencies } from '../../src/supervisor/process/managed.ts'
import { createProcessState, type InitialFacts } from '../../src/supervisor/process/state.ts'
import type { ProcessSpec } from '../../src/supervisor/spec.ts'
import type { News } from '../../src/supervisor/state/event-log.ts'
import { createSpec } from './specs.ts'

/** Processes without programs: the test sees what is asked of the shim, and plays the shim. */
export interface FakeWorld {
  readonly dependencies: ProcessDependencies
  readonly news: News[]
  /** Requests to the shim: `launch web.1#1`, `SIGTERM web.1#1`, `ended web.1#1`. */
  readonly asked: string[]
  /** Answers the oldest cleanup, with descriptions of survivors. */
  readonly cleaned: (left?: readonly string[]) => Promise<void>
  readonly advance: (ms: number) => void
  /** Resolves when the condition holds; checks after every change. */
  readonly until: (condition: () => boolean) => Promise<void>
  /** Reports that the program of an instance has started. */
  readonly spawn: (instance: Instance) => void
  /** Ends the program of an instance, and leaves no descendant. */
  readonly end: (instance: Instance, exit?: Exit) => Promise<void>
  readonly createProcess: (more?: Partial<ProcessSpec>, facts?: InitialFacts) => ManagedProcess
}

const FIRST_PID = 1000

/** Reports that no dependency is missing, so that waiting instances start. */
export const meetDependencies = (managed: ManagedProcess): void =>
  managed.dispatch({ type: 'dependencies', unmet: [], reason: '', isBlocked: false })

/** Returns the only instance of a process, or one of several. */
export function instanceAt(managed: ManagedProcess, index = 0): Instance {
  const instance = managed.currents[index]
  if (!instance) throw new Error(`${managed.name} has no instance ${index + 1}`)
  return instance
}

/** Resolves when the condition holds. The world calls each of `waiters` after every change. */
function waitForChange(waiters: Set<() => void>, condition: () => boolean): Promise<void> {
  return new Promise((settle) => {
    const look = (): void => {
      if (!condition()) return
      waiters.delete(look)
      settle()
    }
    waiters.add(look)
    look()
  })
}

export function createFakeWorld(): FakeWorld {
  const news: News[] = []
  const asked: string[] = []
  const cleanups: ((left: readonly string[]) => void)[] = []
  const waiters = new Set<() => void>()
  let nowMs = Date.UTC(2026, 0, 31)
  const dependencies: ProcessDependencies = {
    nowMs: () => nowMs,
    random: () => 0.5,
    write: (one) => void news.push(one),
    launch: (_, { token }) => void asked.push(`launch ${token}`),
    adopt: (_, { token }) => void asked.push(`adopt ${token}`),
    signal: ({ token }, signal) => void asked.push(`${signal} ${token}`),
    clean: ({ pid }) =>
      new Promise((settle) => {
        asked.push(`clean ${pid}`)
        cleanups.push(settle)
      }),
    look: () => [],
    identityOf: () => undefined,
    lastLines: ({ token }) => [`last words of ${token}`],
    followLines: () => () => {},
    diagnose: ({ code, signal }) => ({
      words: signal ?? `exit ${code}`,
      permanent: code === 3 ? 'it never works' : null,
    }),
    ended: ({ token }) => void asked.push(`ended ${token}`),
    probeAddressOf: () => null,
    closeSockets: () => {},
    changed: () => {
      for (const look of waiters) look()
    },
  }
  const cleaned: FakeWorld['cleaned'] = async (left = []) => {
    cleanups.shift()?.(left)
    // The instance reports it in the next turn.
    await new Promise((next) => setImmediate(next))
  }
  return {
    dependencies,
    news,
    asked,
    cleaned,
    advance: (ms) => void (nowMs += ms),
    until: (condition) => waitForChange(waiters, condition),
    spawn: (instance) => instance.spawned(FIRST_PID + (instance.state.invocation?.number ?? 0), 1),
    end: async (instance, exit = { code: 0, signal: null }) => {
      instance.exited(exit)
      await cleaned()
    },
    createProcess: (more, facts) =>
      new ManagedProcess(createProcessState(createSpec(more), nowMs, facts), dependencies),
  }
}
