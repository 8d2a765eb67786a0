import { printRoundedSize } from '../../core/sizes.ts'
import { printElapsed } from '../../core/durations.ts'
import type { InstanceRow, InstanceStateName, InstanceStatus, ProcessStatus, Snapshot } from '../../control/protocol.ts'
import { displayWidth, type Paint, padEnd, padStart, type Style, truncate } from './print.ts'

/** The part of a snapshot that the table shows; a cluster has no more. */
export type SnapshotProcesses = Pick<Snapshot, 'processes'>

/** One line of the table: an instance with what its process knows of it. */
export interface PsRow {
  readonly owner: ProcessStatus
  readonly status: InstanceStatus
  /** How many there are that this line stands for. */
  readonly count: number
}

export const STATE_STYLES: Readonly<Record<InstanceStateName, Style>> = {
  waiting: 'cyan',
  starting: 'cyan',
  running: 'green',
  stopping: 'yellow',
  backoff: 'yellow',
  failed: 'red',
  done: 'dim',
  stopped: 'dim',
}

export const psRows = ({ processes }: SnapshotProcesses): readonly PsRow[] =>
  processes.flatMap((owner) => owner.instances.map((status) => ({ owner, status, count: 1 })))

/** Instances of a process that are in the same state become one line: their numbers are added up. */
export function collapse(rows: readonly PsRow[]): readonly PsRow[] {
  const groups = Map.groupBy(rows, ({ owner, status }) => JSON.stringify([owner.process, status.state]))
  return [...groups.values()].map((group) => {
    const [first] = group as [PsRow]
    if (group.length === 1) return first
    const usages = group.flatMap(({ status }) => status.usage ?? [])
    const newest = group
      .map(({ status }) => status.startedAt ?? '')
      .toSorted()
      .at(-1)
    return {
      owner: first.owner,
      count: group.length,
      status: {
        ...first.status,
        pid: null,
        startedAt: newest || null,
        restarts: sum(group.map(({ status }) => status.restarts)),
        usage:
          usages.length === 0
            ? undefined
            : {
                cpuPercent: sum(usages.map(({ cpuPercent }) => cpuPercent)),
                memoryBytes: sum(usages.map(({ memoryBytes }) => memoryBytes)),
                processes: sum(usages.map(({ processes }) => processes)),
              },
      },
    }
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const HEADER = ['NAME', 'STATE', 'READY', 'UPTIME', 'RESTARTS', 'CPU', 'MEM', 'PID', 'LISTEN']
/** Numbers are compared by their length. */
const TO_THE_RIGHT: ReadonlySet<number> = new Set([4, 5, 6, 7])
/** A note of fewer columns says nothing. */
const LEAST_NOTE = 16

/** Cells of the table, as wide as they want to be. */
export function psCells(rows: readonly PsRow[], nowMs: number): readonly (readonly string[])[] {
  const seen = new Set<string>()
  return rows.map((row) => {
    const { owner, status, count } = row
    const first = !seen.has(owner.process)
    seen.add(owner.process)
    const { state, usage, startedAt, pid, restarts } = status
    return [
      count > 1 ? `${owner.process} ×${count}` : status.instance,
      state,
      readiness(state),
      isAlive(state) && startedAt ? printElapsed(nowMs - Date.parse(startedAt)) : '-',
      restarts === 0 && owner.run !== 'always' ? '-' : String(restarts),
      usage ? `${Math.round(usage.cpuPercent)}%` : '-',
      usage ? printRoundedSize(usage.memoryBytes) : '-',
      pid === null ? '-' : String(pid),
      note(row, first, nowMs),
    ]
  })
}

/** The table. On a narrow terminal columns are dropped from the right; the note is cut before it goes. */
export function renderPs(rows: readonly PsRow[], nowMs: number, paint: Paint, columns?: number): string {
  const lines = layOut(psCells(rows, nowMs), columns)
  const [header = '', ...rest] = lines.map((cells) => cells.join('  ').trimEnd())
  const states = rows.map(({ status }) => status.state)
  const painted = rest.map((line, index) => {
    const state = states[index] as InstanceStateName
    const cells = lines[index + 1] as readonly string[]
    return cells.length > 1 ? line.replace(` ${state} `, ` ${paint(STATE_STYLES[state], state)} `) : line
  })
  return [paint('bold', header), ...painted].map((line) => `${line}\n`).join('')
}

/** Cells of equal widths, the header first, as many columns as there is room for. */
export function layOut(cells: readonly (readonly string[])[], columns = Number.POSITIVE_INFINITY): readonly string[][] {
  const all = [HEADER, ...cells]
  const widths = HEADER.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ''))))
  const upTo = (count: number): number => widths.slice(0, count).reduce((sum, width) => sum + width + 2, -2)
  let shown = HEADER.length
  while (shown > 1 && upTo(shown) > columns) {
    // The last is a note, and half of it is better than none.
    if (shown === HEADER.length && columns - upTo(shown - 1) - 2 >= LEAST_NOTE) break
    shown--
  }
  return all.map((row) =>
    row.slice(0, shown).map((cell, column) => {
      if (column === HEADER.length - 1) return truncate(cell, columns - upTo(column) - 2)
      const width = Math.min(widths[column] as number, columns)
      return TO_THE_RIGHT.has(column) ? padStart(cell, width) : padEnd(truncate(cell, width), width)
    }),
  )
}

const isAlive = (state: InstanceStateName): boolean => ['starting', 'running', 'stopping'].includes(state)

function readiness(state: InstanceStateName): string {
  if (state === 'running') return 'yes'
  return state === 'done' || state === 'stopped' ? '-' : 'no'
}

/** The last column: where it listens; else what happened, and what comes next. */
function note({ owner, status }: PsRow, first: boolean, nowMs: number): string {
  const { state, lastExit, nextAt, waitingFor, reason, beside } = status
  const ago = (time: string): string => `${printElapsed(nowMs - Date.parse(time))} ago`
  const next = nextAt === null ? undefined : printElapsed(Math.max(0, Date.parse(nextAt) - nowMs))
  const second = beside && `reloading: pid ${beside.pid ?? '-'} ${beside.state}`
  const listen = first ? owner.listen.join(', ') : '(same)'
  switch (state) {
    case 'running':
    case 'starting':
      return [owner.listen.length > 0 && listen, second, reason].filter(Boolean).join('; ') || '-'
    case 'stopping':
      return reason ?? 'finishing its work'
    case 'backoff':
      return [next ? `next try in ${next}` : 'next try soon', lastExit?.words ?? reason].filter(Boolean).join(': ')
    case 'failed':
      return reason ?? lastExit?.words ?? 'see why'
    case 'waiting':
      if (waitingFor.length > 0) return `waits for ${waitingFor.join(', ')}`
      return next ? `next run in ${next}` : (reason ?? '-')
    case 'done':
      return lastExit ? `${ago(lastExit.at)}, ${lastExit.code === 0 ? 'ok' : lastExit.words}` : (reason ?? 'ok')
    case 'stopped':
      return reason ?? (lastExit ? `${ago(lastExit.at)}, ${lastExit.words}` : '-')
  }
}

/** Whether all that should run are ready: what `ps` answers with its exit code. */
export function isAllReady({ processes }: SnapshotProcesses): boolean {
  return processes.every(({ wanted, schedule, instances }) =>
    instances.every(({ state }) => {
      if (state === 'failed') return false
      if (wanted === 'stopped' || state === 'stopped') return true
      return state === 'running' || state === 'done' || (state === 'waiting' && schedule !== null)
    }),
  )
}

/** A row as JSON: an instance, with what describes its process. */
export function rowToJson({ owner: { kind, title, wanted, run, listen, schedule }, status }: PsRow): string {
  const row: InstanceRow = { ...status, kind, title, wanted, run, listen, schedule }
  return `${JSON.stringify(row)}\n`
}

/** The declared processes, when nothing runs. */
export function renderDeclared(names: readonly string[], paint: Paint): string {
  const width = Math.max(...['NAME', ...names].map(displayWidth))
  const lines = names.map((name) => `${padEnd(name, width)}  -\n`)
  return `${paint('bold', `${padEnd('NAME', width)}  STATE`)}\n${lines.join('')}`
}
