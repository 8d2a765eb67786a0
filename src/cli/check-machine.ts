import { printRoundedSize, printSize } from '../core/sizes.ts'
import { spellingAt } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import type { Workload } from '../plan/workload.ts'
import { type FileSystem, type Machine, parseLimit } from './machine.ts'
import { plural } from './print.ts'

/** A process that is declared to run, with what it asks of the machine. */
export interface Demand {
  readonly planned: PlannedProcess
  readonly workload: Workload
}

/** Whether a machine bears what is declared: its processors, its memory, its limits. */
export function checkMachine(demands: readonly Demand[], machine: Machine): readonly Problem[] {
  return [
    ...checkProcessors(demands, machine),
    ...checkMemory(demands, machine),
    ...demands.flatMap((demand) => [...checkLimit(demand), ...checkOpenFiles(demand, machine)]),
  ]
}

const running = ({ workload }: Demand): number => workload.instances * workload.workers.processes

/** Beyond this, processes wait for each other more than they serve: the rule of thumb of gunicorn's documentation. */
const mostWorkers = (processors: number): number => processors * 2 + 1

function checkProcessors(demands: readonly Demand[], { processors }: Machine): readonly Problem[] {
  const most = mostWorkers(processors.usable)
  const count = plural(processors.usable, 'processor')
  const has = processors.usable < processors.all ? `only ${count} may be used here` : `this machine has ${count}`
  const single = demands.flatMap((demand): Problem[] => {
    const { workload } = demand
    const { name: process, title, kind, workers, instances, workersPlace } = workload
    // Who declares the processes of a worker knows its tasks, which may do nothing but wait.
    const isJudged = kind === 'web' || (kind === 'worker' && workersPlace === null && workers.processes > 1)
    if (!isJudged || running(demand) <= most) return []
    const times = instances > 1 ? `${instances} × ${workers.processes}` : String(workers.processes)
    const chosen = workersPlace === null && instances === 1 ? ', as many as the machine has processors' : ''
    const message = `${title} starts ${times} processes${chosen}, and ${has}: more than ${most} wait for each other more than they work.`
    const each = Math.max(1, Math.floor(most / instances))
    const hint = `Begin with ${JSON.stringify(workers.option ?? 'workers')}: ${each}, and watch: prodserver top`
    const place = workersPlace ?? demand.planned.from.instances ?? demand.planned.place
    return [{ id: 'W501', place, process, message, hint }]
  })
  if (single.length > 0) return single
  const web = demands.filter(({ workload }) => workload.kind === 'web')
  const all = web.reduce((sum, demand) => sum + running(demand), 0)
  if (all <= most) return []
  const named = web.map((demand) => `${demand.workload.name} ${running(demand)}`).join(', ')
  const message = `The web servers start ${all} processes (${named}), and ${has}: more than ${most} wait for each other more than they work.`
  const hint = `Begin with ${most} in all, and watch: prodserver top`
  return [{ id: 'W501', place: wholeOf(web), message, hint }]
}

/** What one instance needs before its first request or task. */
function instanceBytes({ workers, memory }: Workload): number {
  if (memory === null) return 0
  return workers.forked === true ? memory.alone + workers.processes * memory.forked : workers.processes * memory.alone
}

function checkMemory(demands: readonly Demand[], { memory }: Machine): readonly Problem[] {
  if (memory === null) return []
  const measured = demands.filter(({ workload }) => workload.memory !== null && workload.kind !== 'task')
  const needed = measured.reduce((sum, { workload }) => sum + workload.instances * instanceBytes(workload), 0)
  if (needed <= memory.bytes) return []
  const parts = measured.map(({ workload: { name, instances, workers, memory } }) => {
    const count = instances * workers.processes
    return `${name} ${count} × ${printRoundedSize((workers.forked ? memory?.forked : memory?.alone) ?? 0)}`
  })
  const where = memory.limitedBy === null ? 'this machine has' : `${memory.limitedBy} leaves`
  const message = `The processes need ${printRoundedSize(needed)} as soon as they have loaded the application, and ${where} ${printRoundedSize(memory.bytes)}: ${parts.join(', ')}.`
  const hint = 'Lower the number of their processes, or INSTANCES; or give them more memory'
  return [{ id: 'W502', place: wholeOf(measured), message, hint }]
}

function checkLimit({ planned, workload }: Demand): readonly Problem[] {
  const { memoryLimitBytes: limit, name: process, place, from } = planned
  const needed = instanceBytes(workload)
  if (limit === null || needed <= limit) return []
  const processes = plural(workload.workers.processes, 'process', 'processes')
  const message = `It is restarted at ${printSize(limit)}, and needs ${printRoundedSize(needed)} as soon as its ${processes} ${workload.workers.processes === 1 ? 'has' : 'have'} loaded the application.`
  const hint = `Set MEMORY_LIMIT well above that, such as "${printRoundedSize(needed * 2)}"`
  return [{ id: 'W505', place: from.memoryLimit ?? place, process, message, hint }]
}

/** Files that a process has open beside its connections: its logs, its libraries, its database. */
const OTHER_FILES = 16

function checkOpenFiles({ planned, workload }: Demand, { openFiles }: Machine): readonly Problem[] {
  const { connections } = workload.workers
  if (connections === undefined || openFiles === null) return []
  const { name: process, title, limits } = planned
  const [soft = '', hard] = (limits['nofile'] ?? limits['NOFILE'] ?? '').split(':')
  const most = soft === '' ? openFiles.soft : parseLimit(soft)
  const needed = connections.most + OTHER_FILES
  if (needed <= most) return []
  const message = `${title} keeps up to ${connections.most} connections open in each process, and a process may have ${most} open files.`
  const highest = hard ? parseLimit(hard) : openFiles.hard
  const raise = `Set "LIMITS": {"nofile": ${needed}}, or lower ${JSON.stringify(connections.option)}`
  const hint = needed <= highest ? raise : `${raise}; above ${highest} only root, or LimitNOFILE of systemd, may set it`
  return [{ id: 'W503', place: workload.connectionsPlace, process, message, hint }]
}

/** What declares the first of them. */
const wholeOf = (demands: readonly Demand[]): string => spellingAt(demands[0]?.planned.place ?? '').processes

/** Where something is written, and what may still be written there. */
export interface Space {
  readonly stateDir: string
  /** What the logs in it take already. */
  readonly logBytes: number
  readonly fileSystemOf: (path: string) => FileSystem
}

/** Less than this is nearly nothing, on a disk of any size. */
const LITTLE_BYTES = 100 * 1024 ** 2

/** Whether there is room for what is written: the logs that a supervisor keeps, and those that programs write. */
export function checkSpace(
  demands: readonly Demand[],
  { stateDir, logBytes, fileSystemOf }: Space,
): readonly Problem[] {
  const state = fileSystemOf(stateDir)
  const most = demands.reduce((sum, { planned }) => sum + mostLogBytes(planned), 0)
  const more = Math.max(0, most - logBytes)
  const full = checkFull([
    ...demands.flatMap(({ workload }) =>
      workload.written.map(({ file, place }) => ({ system: fileSystemOf(file), place, process: workload.name })),
    ),
    { system: state, place: stateDir },
  ])
  if (more <= state.freeBytes || full.some(({ place }) => place === stateDir)) return full
  const largest = demands.toSorted((a, b) => mostLogBytes(b.planned) - mostLogBytes(a.planned))[0]
  const named = largest === undefined ? '' : `, most of ${largest.planned.name} with ${describeLog(largest.planned)}`
  const message = `The logs may grow to ${printRoundedSize(most)}${named}, and the file system of ${stateDir} has ${printRoundedSize(state.freeBytes)} left.`
  const hint = 'Lower max_size or keep in LOG, or choose a larger one: PRODSERVER_STATE_DIR=/var/lib/mysite'
  const place = largest?.planned.from.log ?? wholeOf(demands)
  return [...full, { id: 'W504', place, message, hint }]
}

/** The file that is written, and the full ones that are kept. Compressed, they are smaller. */
const mostLogBytes = ({ instances, log }: PlannedProcess): number => instances * (log.keep + 1) * log.maxSizeBytes

const describeLog = ({ instances, log }: PlannedProcess): string =>
  `${instances > 1 ? `${instances} × ` : ''}${log.keep + 1} files of ${printSize(log.maxSizeBytes)}`

interface Written {
  readonly system: FileSystem
  readonly place: string
  readonly process?: string
}

/** Said once of each file system. */
function checkFull(written: readonly Written[]): readonly Problem[] {
  const firsts = written.filter(
    ({ system }, index) => written.findIndex((other) => other.system.id === system.id) === index,
  )
  return firsts.flatMap(({ system, place, process }): Problem[] => {
    const isLittle = system.freeBytes < LITTLE_BYTES && system.freeBytes < system.sizeBytes / 20
    if (!isLittle && !system.isOutOfFiles) return []
    const left = system.isOutOfFiles ? 'takes no more files' : `has ${printRoundedSize(system.freeBytes)} left`
    const message = `The file system of ${system.folder} ${left}.`
    return [
      { id: 'W506', place, ...(process !== undefined && { process }), message, hint: `Look: df -h ${system.folder}` },
    ]
  })
}
