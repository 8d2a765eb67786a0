import { printGoDuration } from '../../core/durations.ts'
import { toMebibytes } from '../../core/sizes.ts'
import { userOf } from '../containers/container.ts'
import { portName, portsOf } from '../containers/ports.ts'
import { ulimits } from '../containers/ulimits.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { type NameRule, targetName } from '../names.ts'
import { setVariables } from '../variables.ts'
import { block, type HclBlock, labelled } from './hcl.ts'

export const NOMAD_NAMES: NameRule = { title: 'Nomad', allowed: 'a-zA-Z0-9_-', lowerCase: false, longest: 63 }

/** Name of the group and the task of a process. */
export const groupName = ({ name }: ExportedProcess): string => targetName(name, NOMAD_NAMES)

/** How long a web server goes on serving before it gets the stop signal: clients may still have its address. */
const DRAIN = '5s'
const CPU_MHZ = 500
const MEMORY_MB = 512

/** The container of a process. */
export function task(exported: ExportedProcess, input: ExportInput): HclBlock {
  const { stop, kind, log, memoryLimitBytes } = exported
  const variables = setVariables(exported)
  const memory = memoryLimitBytes === null ? MEMORY_MB : toMebibytes(memoryLimitBytes)
  const attributes = {
    driver: 'docker',
    user: userOf(exported, input),
    kill_signal: `SIG${stop.signal}`,
    kill_timeout: printGoDuration(stop.timeoutMs),
    shutdown_delay: kind === 'web' ? DRAIN : undefined,
  }
  const blocks = [container(exported, input)]
  if (variables.length > 0) blocks.push(block('env', Object.fromEntries(variables)))
  blocks.push(
    ...input.envFrom.map(template),
    block('resources', { cpu: CPU_MHZ, memory }),
    block('logs', { max_files: log.keep + 1, max_file_size: toMebibytes(log.maxSizeBytes) }),
  )
  return block(labelled('task', groupName(exported)), attributes, blocks)
}

function container(exported: ExportedProcess, { image }: ExportInput): HclBlock {
  const [command = '', ...args] = exported.argv
  const names = portsOf(exported).map((port, _, all) => portName(port, all))
  const ports = names.length > 0 ? names : undefined
  const limits = Object.fromEntries(ulimits(exported).map(({ name, soft, hard }) => [name, printUlimit(soft, hard)]))
  const blocks = Object.keys(limits).length > 0 ? [block('ulimit', limits)] : []
  return block('config', { image, command, args, work_dir: exported.cwd, init: true, ports }, blocks)
}

const printUlimit = (soft: number, hard: number): string => (soft === hard ? String(soft) : `${soft}:${hard}`)

/** Sets all variables that Nomad stores below a path as environment variables. */
function template(path: string, index: number): HclBlock {
  const lines = [
    `{{ with nomadVar ${JSON.stringify(path)} }}{{ range .Tuples }}`,
    '{{ .K }}={{ printf "%q" .V }}',
    '{{ end }}{{ end }}',
    '',
  ]
  const data = { heredoc: lines.join('\n') }
  return block('template', { destination: `secrets/${index + 1}.env`, env: true, data })
}
