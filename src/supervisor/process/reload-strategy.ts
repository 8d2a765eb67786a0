import type { PlannedProcess } from '../../plan/plan.ts'

export type ReloadManner = 'rolling' | 'signal' | 'restart'

/** What decides it, in a plan and in what a supervisor runs. */
type Reloaded = Pick<PlannedProcess, 'reload' | 'kind' | 'listen' | 'run' | 'schedule'> & {
  readonly inherited: unknown
}

/** How new code gets into a process, as far as it can be done the way that was declared. */
export function reloadManner({ reload, kind, listen, inherited, run, schedule }: Reloaded): ReloadManner {
  // Two schedulers would run every job twice, if only for a moment.
  if (kind === 'scheduler' || run !== 'always' || schedule !== null) return 'restart'
  // Two copies that each open the address themselves cannot run beside each other.
  if (reload === 'rolling' && listen.length > 0 && inherited === null) return 'restart'
  return reload
}

/** Whether those who ask it notice nothing of a reload. */
export const reloadsUnseen = (spec: Reloaded): boolean => reloadManner(spec) === 'rolling' && spec.listen.length > 0

/** What `reload` will do, for a person. */
export function describeReload(spec: Reloaded): string {
  switch (reloadManner(spec)) {
    case 'rolling':
      return spec.listen.length > 0
        ? 'rolling: the new one takes over the socket when it is ready; no request is dropped'
        : 'rolling: the old one finishes its work after the new one is ready'
    case 'signal':
      return 'signal: HUP'
    case 'restart':
      return spec.kind === 'scheduler'
        ? 'restart: the old one stops first, as there may be only one'
        : spec.inherited !== null && spec.listen.length > 0
          ? 'restart: new connections wait until the new one is there; none is refused'
          : 'restart: it is away for a moment'
    default:
      return ''
  }
}
