import { join } from 'node:path'
import type { Instance } from '../process/instance.ts'
import type { ProcessSpec } from '../spec.ts'
import { lastRunsOf, type Managed } from '../process/managed.ts'
import { type SavedLife, type SavedState, STATE_VERSION } from './state-file.ts'

/** Names of lives, and what is noted of them for the supervisor that comes after this one. */

export const tokenOf = (instance: string, run: number): string => `${instance}#${run}`
export const instanceOf = (token: string): string => token.slice(0, token.lastIndexOf('#'))
export const numberOf = (instance: string): number => Number(instance.slice(instance.lastIndexOf('.') + 1))
export const pipeOf = (stateDir: string, instance: string, run: number): string =>
  join(stateDir, 'run', `${instance}-${run}.log`)

/** What the next supervisor has to know. */
export interface Notes {
  readonly processes: ReadonlyMap<string, Managed>
  /** Lives of processes that are declared no more. */
  readonly strangers: ReadonlySet<Instance>
  readonly releases: Readonly<Record<string, string>>
  readonly releasing: Readonly<Record<string, string>>
}

export function stateOf({ processes, strangers, releases, releasing }: Notes, bootId: string): SavedState {
  const all = [...processes]
  const own = all.flatMap(([, { slots }]) =>
    slots.flatMap(({ current, beside }) => [...savedLife(current, false), ...(beside ? savedLife(beside, true) : [])]),
  )
  return {
    version: STATE_VERSION,
    bootId,
    processes: Object.fromEntries(
      all.map(([name, managed]) => {
        const { wanted, scaled } = managed
        return [name, { wanted, scaled, runs: lastRunsOf(managed) }]
      }),
    ),
    lives: [...own, ...[...strangers].flatMap((stranger) => savedLife(stranger, false))],
    releases,
    releasing,
  }
}

/** Empty where it has no life. */
function savedLife(instance: Instance, beside: boolean): readonly SavedLife[] {
  const { life, spec, id, restarts, phase } = instance
  if (!life || life.pid === null) return []
  const { run, pid, startTicks, hash, startedMs, probeAddress } = life
  return [
    {
      instance: id,
      process: spec.name,
      run,
      pid,
      startTicks,
      hash,
      startedMs,
      ready: phase.is === 'running',
      restarts,
      // What failed and still has a life could not be ended: that goes on as well.
      stopping: phase.is === 'stopping' || phase.is === 'failed',
      beside,
      probeAddress,
      stop: spec.stop,
    },
  ]
}

/** Enough to stop what is declared no more. */
export function strangerSpec({ process, hash, stop }: SavedLife): ProcessSpec {
  return {
    name: process,
    kind: 'worker',
    backend: '',
    title: process,
    argv: [],
    env: {},
    cwd: '/',
    listen: [],
    inherited: null,
    alone: null,
    instances: 0,
    run: 'always',
    dependsOn: {},
    ready: { delayMs: 0, intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 },
    alive: null,
    restart: { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 },
    stop,
    reload: 'restart',
    memoryLimitBytes: null,
    schedule: null,
    user: null,
    group: null,
    umask: null,
    nice: null,
    limits: {},
    log: { maxSizeBytes: 10 * 1024 ** 2, keep: 5, compress: false },
    enabled: false,
    hash,
  }
}
