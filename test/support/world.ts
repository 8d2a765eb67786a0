import type { Exit } from '../../src/control/protocol.ts'
import type { Instance, Life, World } from '../../src/supervisor/process/instance.ts'
import type { News } from '../../src/supervisor/state/event-log.ts'

/** A world without processes: what is asked of it is remembered, and what happens in it is told by the test. */
export interface FakeWorld {
  readonly world: World
  readonly news: News[]
  /** What was asked of the keeper: `launch web.1#1`, `SIGTERM web.1#1`, `ended web.1#1`. */
  readonly asked: string[]
  /** Answers the oldest look for what is left, with what that is. */
  readonly swept: (left?: readonly string[]) => Promise<void>
  readonly advance: (ms: number) => void
  /** Resolves when the condition holds, looked at after every change. */
  readonly until: (condition: () => boolean) => Promise<void>
  /** The program of an instance is there. */
  readonly spawn: (instance: Instance) => void
  /** Its program ends, and nothing is left of it. */
  readonly end: (instance: Instance, exit?: Exit) => Promise<void>
}

const FIRST_PID = 1000

export function createFakeWorld(): FakeWorld {
  const news: News[] = []
  const asked: string[] = []
  const sweeps: ((left: readonly string[]) => void)[] = []
  const waiters = new Set<() => void>()
  let nowMs = Date.UTC(2026, 0, 31)
  const world: World = {
    nowMs: () => nowMs,
    random: () => 0.5,
    write: (one) => void news.push(one),
    launch: (instance, run): Life => {
      const token = `${instance.id}#${run}`
      asked.push(`launch ${token}`)
      return { token, run, hash: instance.spec.hash, startedMs: nowMs, probeAddress: null, pid: null, startTicks: 0 }
    },
    signal: ({ token }, signal) => void asked.push(`${signal} ${token}`),
    sweep: ({ pid }) =>
      new Promise((settle) => {
        asked.push(`sweep ${pid}`)
        sweeps.push(settle)
      }),
    look: () => [],
    identityOf: () => undefined,
    lastLines: ({ token }) => [`last words of ${token}`],
    followLines: () => () => {},
    diagnose: ({ code, signal }) => ({
      words: signal ?? `exit ${code}`,
      certain: code === 3 ? 'it never works' : null,
    }),
    ended: ({ token }) => void asked.push(`ended ${token}`),
    changed: () => {
      for (const look of waiters) look()
    },
  }
  const swept: FakeWorld['swept'] = async (left = []) => {
    sweeps.shift()?.(left)
    // The instance hears of it in the next turn.
    await new Promise((next) => setImmediate(next))
  }
  return {
    world,
    news,
    asked,
    swept,
    advance: (ms) => void (nowMs += ms),
    until: (condition) =>
      new Promise((settle) => {
        const look = (): void => {
          if (!condition()) return
          waiters.delete(look)
          settle()
        }
        waiters.add(look)
        look()
      }),
    spawn: (instance) => instance.spawned(FIRST_PID + instance.run, 1),
    end: async (instance, exit = { code: 0, signal: null }) => {
      instance.exited(exit)
      await swept()
    },
  }
}
