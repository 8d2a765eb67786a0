import { ulimits } from '../containers/ulimits.ts'
import { printGoDuration } from '../../core/durations.ts'
import { toMebibytes } from '../../core/sizes.ts'
import { portName, portsOf } from '../containers/ports.ts'
import { setVariables, userOf } from '../containers/container.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { block, type HclAttribute, type HclBlock, labelled } from './hcl.ts'
import { groupName } from './values.ts'

/** How long a web server goes on serving before it gets the stop signal: clients may still have its address. */
const DRAIN = '5s'
const CPU_MHZ = 500
const MEMORY_MB = 512

/** The container of a process. */
export function task(exported: ExportedProcess, input: ExportInput): HclBlock {
  const { stop, kind } = exported
  return labelled('task', groupName(exported), [
    ['driver', 'docker'],
    ['user', userOf(exported, input)],
    ['kill_signal', `SIG${stop.signal}`],
    ['kill_timeout', printGoDuration(stop.timeoutMs)],
    ['shutdown_delay', kind === 'web' ? DRAIN : undefined],
    container(exported, input),
    ...environment(exported),
    ...input.envFrom.map(template),
    resources(exported),
    logs(exported),
  ])
}

function container(exported: ExportedProcess, input: ExportInput): HclBlock {
  const [program = '', ...args] = exported.argv
  const ports = portsOf(exported)
  const settings: (HclAttribute | HclBlock)[] = [
    ['image', input.image],
    ['command', program],
    ['args', args],
    ['work_dir', exported.cwd],
    ['init', true],
  ]
  if (ports.length > 0) settings.push(['ports', ports.map((port) => portName(port, ports))])
  const limits = ulimits(exported).map(({ name, soft, hard }): HclAttribute => [name, printUlimit(soft, hard)])
  if (limits.length > 0) settings.push(block('ulimit', limits))
  return block('config', settings)
}

const printUlimit = (soft: number, hard: number): string => (soft === hard ? String(soft) : `${soft}:${hard}`)

function environment(exported: ExportedProcess): readonly HclBlock[] {
  const variables = setVariables(exported)
  return variables.length > 0 ? [block('env', variables)] : []
}

/** Sets all variables that Nomad stores below a path as environment variables. */
function template(path: string, index: number): HclBlock {
  const lines = [
    `{{ with nomadVar ${JSON.stringify(path)} }}{{ range .Tuples }}`,
    '{{ .K }}={{ printf "%q" .V }}',
    '{{ end }}{{ end }}',
    '',
  ]
  return block('template', [
    ['destination', `secrets/${index + 1}.env`],
    ['env', true],
    ['data', { heredoc: lines.join('\n') }],
  ])
}

const resources = ({ memoryLimitBytes }: ExportedProcess): HclBlock =>
  block('resources', [
    ['cpu', CPU_MHZ],
    ['memory', memoryLimitBytes === null ? MEMORY_MB : toMebibytes(memoryLimitBytes)],
  ])

const logs = ({ log }: ExportedProcess): HclBlock =>
  block('logs', [
    ['max_files', log.keep + 1],
    ['max_file_size', toMebibytes(log.maxSizeBytes)],
  ])
