import { runsToCompletion } from '../../core/completion.ts'
import { printGoDuration } from '../../core/durations.ts'
import { toMebibytes } from '../../core/sizes.ts'
import { portName, portsOf } from '../containers/ports.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { targetName } from '../names.ts'
import { block, type HclBlock, type HclBody, labelled } from './hcl.ts'
import { services } from './service.ts'
import { task } from './task.ts'
import { groupName, NOMAD_NAMES } from './values.ts'

/** A job with its name, which is the name of its file as well. */
export interface Job {
  readonly name: string
  /** The process of a batch job; undefined for the job of all services. */
  readonly process: ExportedProcess | undefined
  readonly body: HclBlock
}

/** Returns a job for all services, and a batch job for each process that runs to completion: Nomad does not mix them. */
export function jobsOf(input: ExportInput): readonly Job[] {
  const main = targetName(input.name, NOMAD_NAMES)
  const running = input.processes.filter((exported) => !runsToCompletion(exported))
  const batches = input.processes.filter(runsToCompletion).map((exported) => batchJob(main, exported, input))
  return running.length > 0 ? [serviceJob(main, running, input), ...batches] : batches
}

function serviceJob(name: string, running: readonly ExportedProcess[], input: ExportInput): Job {
  const groups = running.map((exported) => serviceGroup(exported, name, input))
  return { name, process: undefined, body: labelled('job', name, [['type', 'service'], ...groups]) }
}

function batchJob(main: string, exported: ExportedProcess, input: ExportInput): Job {
  const name = `${main}-${groupName(exported)}`
  const body = [['type', 'batch'] as const, ...periodic(exported), batchGroup(exported, input)]
  return { name, process: exported, body: labelled('job', name, body) }
}

function periodic({ schedule }: ExportedProcess): readonly HclBlock[] {
  if (schedule === null) return []
  return [
    block('periodic', [
      ['crons', [cronOf(schedule.cron)]],
      ['time_zone', schedule.tz],
      ['prohibit_overlap', true],
    ]),
  ]
}

/** Nomad reads a field for seconds only together with a field for years. */
const cronOf = (cron: string): string => (cron.trim().split(/\s+/).length === 6 ? `${cron.trim()} *` : cron)

function serviceGroup(exported: ExportedProcess, job: string, input: ExportInput): HclBlock {
  return labelled('group', groupName(exported), [
    ['count', exported.instances],
    ...network(exported),
    ...services(exported, job),
    update(exported),
    ...policies(exported),
    task(exported, input),
  ])
}

function batchGroup(exported: ExportedProcess, input: ExportInput): HclBlock {
  return labelled('group', groupName(exported), [
    ['count', exported.instances],
    ...network(exported),
    ...policies(exported),
    task(exported, input),
  ])
}

const policies = (exported: ExportedProcess): HclBody => [restart(exported), reschedule(exported), ...disk(exported)]

function network(exported: ExportedProcess): readonly HclBlock[] {
  const ports = portsOf(exported)
  if (ports.length === 0) return []
  const blocks = ports.map((port) => labelled('port', portName(port, ports), [['to', port]]))
  return [block('network', blocks)]
}

const UNPROBED_MS = 10_000

/**
 * A new web server is healthy before an old one stops; other processes only if a rolling reload is declared. A version
 * that does not get healthy is reverted.
 */
function update({ kind, ready, from, reload }: ExportedProcess): HclBlock {
  const isSmooth = kind === 'web' || (from.reload !== undefined && reload === 'rolling')
  const startMs = Math.max(ready.startMs, ready.delayMs ?? 0)
  return block('update', [
    ['max_parallel', 1],
    ['canary', isSmooth ? 1 : undefined],
    ['auto_promote', isSmooth ? true : undefined],
    ['auto_revert', true],
    ['min_healthy_time', printGoDuration(ready.delayMs ?? UNPROBED_MS)],
    ['healthy_deadline', printGoDuration(startMs + 240_000)],
    ['progress_deadline', printGoDuration(startMs + 540_000)],
  ])
}

function restart(exported: ExportedProcess): HclBlock {
  const { policy, limit, windowMs, delayMs } = exported.restart
  const restarts = runsToCompletion(exported) ? policy === 'on-failure' : policy !== 'never'
  if (!restarts)
    return block('restart', [
      ['attempts', 0],
      ['mode', 'fail'],
    ])
  return block('restart', [
    ['attempts', limit],
    ['interval', printGoDuration(windowMs)],
    ['delay', printGoDuration(delayMs)],
    ['mode', 'fail'],
  ])
}

/** Moves a service that failed on one machine to another. */
function reschedule(exported: ExportedProcess): HclBlock {
  if (runsToCompletion(exported) || exported.restart.policy === 'never')
    return block('reschedule', [
      ['attempts', 0],
      ['unlimited', false],
    ])
  return block('reschedule', [
    ['delay', '30s'],
    ['delay_function', 'exponential'],
    ['max_delay', '10m'],
    ['unlimited', true],
  ])
}

/** The disk that Nomad gives to a group by default has 300 MB. The part that logs may fill leaves room for other files. */
const MAX_LOGS_MB = 250
const OTHER_FILES_MB = 100

function disk({ log }: ExportedProcess): readonly HclBlock[] {
  // Nomad keeps files for each of the two streams.
  const logs = 2 * toMebibytes(log.maxSizeBytes) * (log.keep + 1)
  return logs < MAX_LOGS_MB ? [] : [block('ephemeral_disk', [['size', logs + OTHER_FILES_MB]])]
}
