import { runsToCompletion } from '../../core/completion.ts'
import { defined } from '../../core/defined.ts'
import { printGoDuration } from '../../core/durations.ts'
import { userOf } from '../containers/container.ts'
import { portsOf } from '../containers/ports.ts'
import { isRunnable, probeIntervalMs } from '../containers/probes.ts'
import { ulimits } from '../containers/ulimits.ts'
import { exportedDependencies } from '../dependencies.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { targetName } from '../names.ts'
import { type Interpreter, interpreterOf, probeProgram } from '../probe-program.ts'
import { setVariables } from '../variables.ts'
import type { YamlValue } from '../yaml.ts'
import { escape, serviceName, size } from './values.ts'

/** The keys of one service. */
export type Service = Readonly<Record<string, YamlValue>>

export function service(exported: ExportedProcess, input: ExportInput): Service {
  const { argv, cwd, stop, instances, schedule, memoryLimitBytes, log } = exported
  const user = userOf(exported, input)
  const envFrom = input.envFrom.map((file) => escape(fromFolder(file, input)))
  return defined({
    // Not escaped: the image may name a variable of Compose.
    image: input.image ?? targetName(input.name, { allowed: 'a-z0-9._-', lowerCase: true }),
    build: build(input),
    profiles: schedule === null ? undefined : ['schedule'],
    command: argv.map(escape),
    working_dir: escape(cwd),
    user: user && escape(user),
    // Process 1 of a container ignores signals that it does not handle, and reaps no orphans.
    init: true,
    env_file: envFrom.length > 0 ? envFrom : undefined,
    environment: dictionary(setVariables(exported).map(([name, value]) => [name, escape(value)])),
    depends_on: dependsOn(exported, input.processes),
    ...ports(exported),
    healthcheck: healthcheck(exported, interpreterOf(input.project)),
    restart: restart(exported),
    stop_signal: stop.signal === 'TERM' ? undefined : `SIG${stop.signal}`,
    stop_grace_period: printGoDuration(stop.timeoutMs),
    deploy: instances > 1 ? { replicas: instances } : undefined,
    mem_limit: memoryLimitBytes === null ? undefined : size(memoryLimitBytes),
    ulimits: dictionary(ulimits(exported).map(({ name, soft, hard }) => [name, soft === hard ? soft : { soft, hard }])),
    logging: {
      driver: 'json-file',
      options: {
        'max-size': size(log.maxSizeBytes),
        // Docker counts the file that it writes to as well.
        'max-file': String(log.keep + 1),
        compress: String(log.compress),
      },
    },
  })
}

const dictionary = (entries: readonly (readonly [string, YamlValue])[]): YamlValue =>
  entries.length > 0 ? Object.fromEntries(entries) : undefined

/** Every service names the build: whichever Compose builds first, the others find the same layers. */
function build({ found, folders }: ExportInput): YamlValue {
  const context = folders.root || '.'
  if (hasDockerfile(found) || folders.out === '') return context
  return { context, dockerfile: `${folders.out}/Dockerfile` }
}

export const hasDockerfile = (found: ReadonlySet<string>): boolean =>
  found.has('Dockerfile') || found.has('Containerfile')

/** Converts a path from the project to one from the folder of the file. */
const fromFolder = (path: string, { folders }: ExportInput): string =>
  path.startsWith('/') || folders.root === '' ? path : `${folders.root}/${path}`

function dependsOn(exported: ExportedProcess, all: readonly ExportedProcess[]): YamlValue {
  const entries = Object.entries(exportedDependencies(exported, all))
  return dictionary(
    entries.map(([name, condition]) => {
      const other = all.find((one) => one.name === name)
      return [serviceName({ name }), { condition: serviceCondition(condition, other) }]
    }),
  )
}

function serviceCondition(condition: 'started' | 'ready' | 'completed', other: ExportedProcess | undefined): string {
  if (condition === 'completed') return 'service_completed_successfully'
  return condition === 'ready' && other && isChecked(other) ? 'service_healthy' : 'service_started'
}

/** One container publishes its ports on the machine; several containers cannot share a port there. */
function ports(exported: ExportedProcess): Service {
  const all = portsOf(exported).map(String)
  if (all.length === 0) return {}
  return exported.instances === 1 ? { ports: all.map((port) => `${port}:${port}`) } : { expose: all }
}

/** The one check of a service: the readiness probe, which others wait for, or else the liveness probe. */
function healthcheck(exported: ExportedProcess, interpreter: Interpreter): YamlValue {
  if (runsToCompletion(exported)) return undefined
  const key = isRunnable(exported.ready) ? 'ready' : 'alive'
  const probe = exported[key]
  const program = probe && isRunnable(probe) && probeProgram(probe, exported.listen, interpreter)
  if (!program) return undefined
  return {
    test: ['CMD', ...program].map(escape),
    interval: printGoDuration(probeIntervalMs(probe, exported.from[key] !== undefined)),
    timeout: printGoDuration(probe.timeoutMs),
    retries: probe.failures,
    start_period: printGoDuration(probe.startMs),
    start_interval: '2s',
  }
}

/** Whether the service has a check. The interpreter that runs the check does not matter. */
export const isChecked = (exported: ExportedProcess): boolean => healthcheck(exported, 'python') !== undefined

function restart(exported: ExportedProcess): string {
  const { policy, limit } = exported.restart
  if (runsToCompletion(exported) || policy === 'never') return 'no'
  return policy === 'always' ? 'unless-stopped' : `on-failure:${limit}`
}
