import { ulimits } from '../containers/ulimits.ts'
import { exportedDependencies } from '../dependencies.ts'
import { runsToCompletion } from '../../core/completion.ts'
import { printGoDuration } from '../../core/durations.ts'
import { portsOf } from '../containers/ports.ts'
import { setVariables, userOf } from '../containers/container.ts'
import { defined } from '../../core/defined.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { targetName } from '../names.ts'
import { interpreterOf } from '../probe-program.ts'
import type { YamlValue } from '../yaml.ts'
import { healthcheck, isChecked } from './healthcheck.ts'
import { serviceName } from './names.ts'
import { escape, size } from './values.ts'

/** The keys of one service. */
export type Service = Readonly<Record<string, YamlValue>>

export function service(exported: ExportedProcess, input: ExportInput): Service {
  const { argv, cwd, stop, instances, schedule, memoryLimitBytes } = exported
  const user = userOf(exported, input)
  return defined({
    // Not escaped: the image may name a variable of Compose.
    image: input.image ?? targetName(input.name, { allowed: 'a-z0-9._-', lowerCase: true }),
    build: build(input),
    profiles: schedule === null ? undefined : ['schedule'],
    command: argv.map(escape),
    working_dir: escape(cwd),
    user: user === undefined ? undefined : escape(user),
    // Process 1 of a container ignores signals that it does not handle, and reaps no orphans.
    init: true,
    env_file: input.envFrom.length > 0 ? input.envFrom.map((file) => escape(fromFolder(file, input))) : undefined,
    environment: environment(exported),
    depends_on: dependsOn(exported, input.processes),
    ...ports(exported),
    healthcheck: healthcheck(exported, interpreterOf(input.project)),
    restart: restart(exported),
    stop_signal: stop.signal === 'TERM' ? undefined : `SIG${stop.signal}`,
    stop_grace_period: printGoDuration(stop.timeoutMs),
    deploy: instances > 1 ? { replicas: instances } : undefined,
    mem_limit: memoryLimitBytes === null ? undefined : size(memoryLimitBytes),
    ulimits: composeUlimits(exported),
    logging: logging(exported),
  })
}

/** Every service names the build: whichever Compose builds first, the others find the same layers. */
function build({ found, folders }: ExportInput): YamlValue {
  const context = folders.root === '' ? '.' : folders.root
  if (hasDockerfile(found) || folders.out === '') return context
  return { context, dockerfile: `${folders.out}/Dockerfile` }
}

export const hasDockerfile = (found: ReadonlySet<string>): boolean =>
  ['Dockerfile', 'Containerfile'].some((name) => found.has(name))

/** Converts a path from the project to one from the folder of the file. */
const fromFolder = (path: string, { folders }: ExportInput): string =>
  path.startsWith('/') || folders.root === '' ? path : `${folders.root}/${path}`

function environment(exported: ExportedProcess): YamlValue {
  const entries = setVariables(exported).map(([name, value]) => [name, escape(value)])
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

function dependsOn(exported: ExportedProcess, all: readonly ExportedProcess[]): YamlValue {
  const entries = Object.entries(exportedDependencies(exported, all)).map(([name, condition]) => [
    serviceName({ name }),
    {
      condition: serviceCondition(
        condition,
        all.find((other) => other.name === name),
      ),
    },
  ])
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
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

function restart(exported: ExportedProcess): string {
  const { policy, limit } = exported.restart
  if (runsToCompletion(exported) || policy === 'never') return 'no'
  return policy === 'always' ? 'unless-stopped' : `on-failure:${limit}`
}

function logging({ log }: ExportedProcess): YamlValue {
  return {
    driver: 'json-file',
    options: {
      'max-size': size(log.maxSizeBytes),
      // Docker counts the file that it writes to as well.
      'max-file': String(log.keep + 1),
      compress: String(log.compress),
    },
  }
}

function composeUlimits(exported: ExportedProcess): YamlValue {
  const entries = ulimits(exported).map(
    ({ name, soft, hard }) => [name, soft === hard ? soft : { soft, hard }] as const,
  )
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}
