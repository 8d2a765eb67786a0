import { parseLimit } from '../../../core/limits.ts'
import type { Problem } from '../../../core/errors.ts'
import type { MachineFacts } from '../../machine.ts'
import type { Check } from '../check.ts'
import { type Demand, demandsOf } from './demand.ts'

/** A process may open as many files as it keeps connections. */
export const enoughOpenFiles: Check<'here'> = {
  when: 'here',
  find: (facts) => demandsOf(facts).flatMap((demand) => tooFewFiles(demand, facts.machine)),
}

/** Files that a process opens besides its connections: logs, libraries, the database. */
const OTHER_FILES = 16

function tooFewFiles({ planned, workers, connectionsPlace }: Demand, { openFiles }: MachineFacts): readonly Problem[] {
  const { connections } = workers
  if (connections === undefined || openFiles === null) return []
  const { name: process, title, limits } = planned
  const { soft = '', hard = '' } = parseLimit(limits['nofile'] ?? '') ?? {}
  const most = soft === '' ? openFiles.soft : toNumber(soft)
  const needed = connections.most + OTHER_FILES
  if (needed <= most) return []
  const message = `${title} keeps up to ${connections.most} connections open in each process, and a process may have ${most} open files.`
  const highest = hard === '' ? openFiles.hard : toNumber(hard)
  const raise = `Set "LIMITS": {"nofile": ${needed}}, or lower ${JSON.stringify(connections.option)}`
  const hint = needed <= highest ? raise : `${raise}; above ${highest} only root, or LimitNOFILE of systemd, may set it`
  return [{ id: 'W503', place: connectionsPlace, process, message, hint }]
}

const toNumber = (half: string): number => (half === 'unlimited' ? Number.POSITIVE_INFINITY : Number(half))
