import type { Backend } from '../backends/backend.ts'
import type { Declaration } from '../config/declarations.ts'
import type { ProcessOptions } from '../config/schema.ts'
import type { PlannedProbe, PlannedProcess } from './plan.ts'

type Policies = Pick<
  PlannedProcess,
  | 'instances'
  | 'run'
  | 'dependsOn'
  | 'ready'
  | 'alive'
  | 'restart'
  | 'stop'
  | 'reload'
  | 'memoryLimitBytes'
  | 'schedule'
  | 'user'
  | 'group'
  | 'umask'
  | 'nice'
  | 'limits'
  | 'log'
  | 'enabled'
>

/** A project with many applications takes a while, and the machine may be busy: it was just started. */
const START_MS = 60_000

/** Everything of a process but its command: the declaration's word, else the backend's, else the default. */
export function plannedPolicies(declaration: Declaration, backend: Backend, processors: number): Policies {
  const { ready } = backend
  return {
    instances: declaration.instances === 'cpu' ? processors : (declaration.instances ?? 1),
    run: declaration.run ?? 'always',
    dependsOn: declaration.dependsOn ?? {},
    ready: plannedProbe(declaration.ready ?? (ready ? { ...ready } : { delay: 1000 })),
    alive: declaration.alive ? plannedProbe(declaration.alive) : null,
    restart: plannedRestart(declaration.restart),
    stop: {
      signal: declaration.stop?.signal ?? backend.stop?.signal ?? 'TERM',
      timeoutMs: declaration.stop?.timeout ?? backend.stop?.timeoutMs ?? 30_000,
    },
    reload:
      declaration.reload === undefined || declaration.reload === 'auto'
        ? (backend.reload ?? 'restart')
        : declaration.reload,
    memoryLimitBytes: declaration.memoryLimit ?? null,
    schedule: declaration.schedule === undefined ? null : { cron: declaration.schedule, tz: declaration.tz ?? 'UTC' },
    user: textOrNull(declaration.user),
    group: textOrNull(declaration.group),
    umask: textOrNull(declaration.umask),
    nice: declaration.nice ?? null,
    limits: Object.fromEntries(Object.entries(declaration.limits ?? {}).map(([name, value]) => [name, String(value)])),
    log: {
      maxSizeBytes: declaration.log?.maxSize ?? 10 * 1024 ** 2,
      keep: declaration.log?.keep ?? 5,
      compress: declaration.log?.compress ?? true,
    },
    enabled: declaration.enabled ?? true,
  }
}

function plannedProbe(probe: NonNullable<ProcessOptions['ready']>): PlannedProbe {
  const { http, tcp, exec, log, delay, notify, interval = 1000, timeout = 5000, failures } = probe
  return {
    ...(http !== undefined && { http }),
    ...(tcp !== undefined && { tcp: String(tcp) }),
    ...(exec !== undefined && { exec }),
    ...(log !== undefined && { log }),
    ...(delay !== undefined && { delayMs: delay }),
    ...(notify === true && { notify }),
    intervalMs: interval,
    timeoutMs: timeout,
    failures: failures ?? 3,
    // As Kubernetes reads it: so many intervals, where their number was declared.
    startMs: failures === undefined ? Math.max(START_MS, (delay ?? 0) * 2) : failures * interval + timeout,
  }
}

function plannedRestart(restart: ProcessOptions['restart']): PlannedProcess['restart'] {
  const given: Partial<Exclude<ProcessOptions['restart'], string | undefined>> =
    typeof restart === 'object' ? restart : {}
  return {
    policy: typeof restart === 'string' ? restart : (given.policy ?? 'always'),
    delayMs: given.delay ?? 1000,
    maxDelayMs: given.maxDelay ?? 60_000,
    limit: given.limit ?? 10,
    windowMs: given.window ?? 600_000,
  }
}

const textOrNull = (value: string | number | undefined): string | null => (value === undefined ? null : String(value))
