import { runsToCompletion } from '../../core/completion.ts'
import { printGoDuration } from '../../core/durations.ts'
import { toMebibytes } from '../../core/sizes.ts'
import { portName, portsOf } from '../containers/ports.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { targetName } from '../names.ts'
import { block, type HclBlock, labelled } from './hcl.ts'
import { services } from './service.ts'
import { groupName, NOMAD_NAMES, task } from './task.ts'

/** A job with its name, which is the name of its file as well. */
export interface Job {
  readonly name: string
  /** The process of a batch job; undefined for the job of all services. */
  readonly process?: ExportedProcess
  readonly body: HclBlock
}

/** Returns a job for all services, and a batch job for each process that runs to completion: Nomad does not mix them. */
export function jobsOf(input: ExportInput): readonly Job[] {
  const name = targetName(input.name, NOMAD_NAMES)
  const running = input.processes.filter((exported) => !runsToCompletion(exported))
  const batches = input.processes.filter(runsToCompletion).map((exported) => batchJob(name, exported, input))
  if (running.length === 0) return batches
  const groups = running.map((exported) => group(exported, input, [...services(exported, name), update(exported)]))
  return [{ name, body: block(labelled('job', name), { type: 'service' }, groups) }, ...batches]
}

function batchJob(main: string, exported: ExportedProcess, input: ExportInput): Job {
  const name = `${main}-${groupName(exported)}`
  const { schedule } = exported
  const blocks = [group(exported, input)]
  if (schedule !== null) {
    const times = { crons: [cronOf(schedule.cron)], time_zone: schedule.tz, prohibit_overlap: true }
    blocks.unshift(block('periodic', times))
  }
  return { name, process: exported, body: block(labelled('job', name), { type: 'batch' }, blocks) }
}

/** Nomad reads a field for seconds only together with a field for years. */
const cronOf = (cron: string): string => (cron.trim().split(/\s+/).length === 6 ? `${cron.trim()} *` : cron)

/** The disk that Nomad gives to a group by default has 300 MB. The part that logs may fill leaves room for other files. */
const MAX_LOGS_MB = 250
const OTHER_FILES_MB = 100

function group(exported: ExportedProcess, input: ExportInput, service: readonly HclBlock[] = []): HclBlock {
  const { instances, log } = exported
  const blocks = [...service, restart(exported), reschedule(exported)]
  const ports = portsOf(exported).map((port, _, all) => block(labelled('port', portName(port, all)), { to: port }))
  if (ports.length > 0) blocks.unshift(block('network', {}, ports))
  // Nomad keeps files for each of the two streams.
  const logs = 2 * toMebibytes(log.maxSizeBytes) * (log.keep + 1)
  if (logs >= MAX_LOGS_MB) blocks.push(block('ephemeral_disk', { size: logs + OTHER_FILES_MB }))
  return block(labelled('group', groupName(exported)), { count: instances }, [...blocks, task(exported, input)])
}

const UNPROBED_MS = 10_000

/**
 * A new web server is healthy before an old one stops; other processes only if a rolling reload is declared. A version
 * that does not get healthy is reverted.
 */
function update({ kind, ready, from, reload }: ExportedProcess): HclBlock {
  const isSmooth = kind === 'web' || (from.reload !== undefined && reload === 'rolling')
  const startMs = Math.max(ready.startMs, ready.delayMs ?? 0)
  return block('update', {
    max_parallel: 1,
    canary: isSmooth ? 1 : undefined,
    auto_promote: isSmooth || undefined,
    auto_revert: true,
    min_healthy_time: printGoDuration(ready.delayMs ?? UNPROBED_MS),
    healthy_deadline: printGoDuration(startMs + 240_000),
    progress_deadline: printGoDuration(startMs + 540_000),
  })
}

function restart(exported: ExportedProcess): HclBlock {
  const { policy, limit, windowMs, delayMs } = exported.restart
  const restarts = runsToCompletion(exported) ? policy === 'on-failure' : policy !== 'never'
  if (!restarts) return block('restart', { attempts: 0, mode: 'fail' })
  const [interval, delay] = [printGoDuration(windowMs), printGoDuration(delayMs)]
  return block('restart', { attempts: limit, interval, delay, mode: 'fail' })
}

/** Moves a service that failed on one machine to another. */
const reschedule = (exported: ExportedProcess): HclBlock =>
  runsToCompletion(exported) || exported.restart.policy === 'never'
    ? block('reschedule', { attempts: 0, unlimited: false })
    : block('reschedule', { delay: '30s', delay_function: 'exponential', max_delay: '10m', unlimited: true })
