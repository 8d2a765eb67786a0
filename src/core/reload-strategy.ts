import { runsToCompletion } from './completion.ts'
import type { ProcessKind } from './types.ts'

export const RELOAD_STRATEGIES = ['rolling', 'signal', 'restart'] as const

export type ReloadStrategy = (typeof RELOAD_STRATEGIES)[number]

/** The facts of a process that decide how it is reloaded. */
export interface ReloadedProcess {
  readonly kind: ProcessKind
  readonly run: 'always' | 'once' | 'release'
  readonly reload: ReloadStrategy
  readonly schedule: unknown
  readonly listen: readonly string[]
  /** Null if the process cannot take open sockets. */
  readonly inherited: unknown
}

/** How new code gets into a process, as far as it can be done the way that was declared. */
export function reloadStrategy({ reload, kind, listen, inherited, run, schedule }: ReloadedProcess): ReloadStrategy {
  // Two schedulers would run every job twice, if only for a moment.
  if (kind === 'scheduler' || runsToCompletion({ run, schedule })) return 'restart'
  // Two copies that each open the address themselves cannot run beside each other.
  if (reload === 'rolling' && listen.length > 0 && inherited === null) return 'restart'
  return reload
}

/** Whether those who ask it notice nothing of a reload. */
export const reloadsUnseen = (spec: ReloadedProcess): boolean =>
  reloadStrategy(spec) === 'rolling' && spec.listen.length > 0

/** What `reload` will do, for a person. */
export function describeReload(spec: ReloadedProcess): string {
  switch (reloadStrategy(spec)) {
    case 'rolling':
      return spec.listen.length > 0
        ? 'rolling: the new one takes over the socket when it is ready; no request is dropped'
        : 'rolling: the old one finishes its work after the new one is ready'
    case 'signal':
      return 'signal: HUP'
    case 'restart':
      if (spec.kind === 'scheduler') return 'restart: the old one stops first, as there may be only one'
      return spec.inherited !== null && spec.listen.length > 0
        ? 'restart: new connections wait until the new one is there; none is refused'
        : 'restart: it is away for a moment'
    default:
      return ''
  }
}
