import type { Problem } from '../../src/core/errors.ts'
import type { ExportedProcess, Target } from '../../src/export/target.ts'
import { exportedProcess, exportInput } from './exported.ts'

/** What says something of a process to whoever runs it; everything else is said to a reader, or to `up` alone. */
type Said = Exclude<
  keyof ExportedProcess,
  // The file is made by these, and not of them.
  | 'name'
  | 'place'
  | 'kind'
  | 'backend'
  | 'title'
  | 'argvFrom'
  | 'from'
  | 'origins'
  | 'notes'
  | 'collectsStatic'
  | 'enabled'
  // Where secrets are is said by an option.
  | 'secrets'
  // Only one of each is ever planned.
  | 'alone'
  // For those that can hand on open sockets.
  | 'inherited'
  | 'activated'
>

type Key = keyof ExportedProcess['from']

export interface Change {
  /** The key of the declaration that says it. */
  readonly key: Key
  readonly to: Partial<ExportedProcess>
  /** On a machine it is reached at its address without a word. */
  readonly only?: Target['runsIn']
  /** Targets that do so in any case. */
  readonly asEver?: readonly string[]
}

const READY = { intervalMs: 1000, timeoutMs: 5000, failures: 3, startMs: 60_000 }
const RESTART = { policy: 'always', delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 } as const
const LOG = { maxSizeBytes: 10 * 1024 ** 2, keep: 5, compress: true }

/** For each of them, every way in which it can differ from what is usual. */
export const CHANGES: Readonly<Record<Said, readonly Change[]>> = {
  argv: [{ key: 'args', to: { argv: ['/usr/bin/python3', '-m', 'app', '--verbose'] } }],
  env: [
    { key: 'env', to: { env: { COLOUR: 'blue' } } },
    { key: 'env', to: { env: { COLOUR: null } } },
  ],
  cwd: [{ key: 'cwd', to: { cwd: '/app/inner' } }],
  listen: [{ key: 'args', to: { kind: 'web', listen: ['0.0.0.0:8000'] }, only: 'image' }],
  instances: [
    { key: 'instances', to: { instances: 3 } },
    { key: 'instances', to: { instances: 3, listen: ['0.0.0.0:8000'] } },
  ],
  run: [
    { key: 'run', to: { run: 'once' } },
    { key: 'run', to: { run: 'release' } },
  ],
  dependsOn: [
    { key: 'dependsOn', to: { dependsOn: { other: 'started' } } },
    { key: 'dependsOn', to: { dependsOn: { other: 'ready' } } },
    { key: 'dependsOn', to: { dependsOn: { job: 'completed' } } },
    { key: 'dependsOn', to: { dependsOn: { nightly: 'started' } } },
    { key: 'dependsOn', to: { dependsOn: { absent: 'started' } } },
  ],
  ready: [
    { key: 'ready', to: { ready: { ...READY, http: 'http://127.0.0.1:8000/health/' } } },
    { key: 'ready', to: { ready: { ...READY, tcp: '8000' } } },
    { key: 'ready', to: { ready: { ...READY, exec: ['python', 'check.py'] } } },
    { key: 'ready', to: { ready: { ...READY, log: 'ready' } } },
    { key: 'ready', to: { ready: { ...READY, delayMs: 7000 } } },
    { key: 'ready', to: { ready: { ...READY, notify: true } } },
  ],
  alive: [
    { key: 'alive', to: { alive: { ...READY, http: 'http://127.0.0.1:8000/health/' } } },
    { key: 'alive', to: { alive: { ...READY, tcp: '8000' } } },
    { key: 'alive', to: { alive: { ...READY, exec: ['python', 'check.py'] } } },
    { key: 'alive', to: { alive: { ...READY, log: 'ready' } } },
    { key: 'alive', to: { alive: { ...READY, notify: true } } },
    { key: 'alive', to: { alive: { ...READY, delayMs: 7000 } } },
  ],
  restart: [
    { key: 'restart', to: { restart: { ...RESTART, policy: 'on-failure' } } },
    { key: 'restart', to: { restart: { ...RESTART, policy: 'never' } } },
    { key: 'restart', to: { restart: { ...RESTART, delayMs: 5000 } } },
    { key: 'restart', to: { restart: { ...RESTART, maxDelayMs: 5000 } } },
    { key: 'restart', to: { restart: { ...RESTART, limit: 3 } } },
    { key: 'restart', to: { restart: { ...RESTART, windowMs: 5000 } } },
  ],
  stop: [
    { key: 'stop', to: { stop: { signal: 'INT', timeoutMs: 30_000 } } },
    { key: 'stop', to: { stop: { signal: 'TERM', timeoutMs: 90_000 } } },
  ],
  reload: [
    { key: 'reload', to: { reload: 'rolling' } },
    { key: 'reload', to: { reload: 'signal' } },
  ],
  memoryLimitBytes: [{ key: 'memoryLimit', to: { memoryLimitBytes: 512 * 1024 ** 2 } }],
  schedule: [
    { key: 'schedule', to: { schedule: { cron: '0 3 * * *', tz: 'UTC' } } },
    { key: 'schedule', to: { schedule: { cron: '0 3 * * *', tz: 'Europe/Berlin' } } },
    { key: 'schedule', to: { schedule: { cron: '30 0 3 * * *', tz: 'UTC' } } },
  ],
  user: [{ key: 'user', to: { user: 'shop' } }],
  group: [{ key: 'group', to: { group: 'www-data' } }],
  umask: [{ key: 'umask', to: { umask: '027' } }],
  nice: [{ key: 'nice', to: { nice: 5 } }],
  limits: [
    { key: 'limits', to: { limits: { nofile: '65536' } } },
    { key: 'limits', to: { limits: { as: '1000000' } } },
  ],
  log: [
    { key: 'log', to: { log: { ...LOG, maxSizeBytes: 1024 } } },
    { key: 'log', to: { log: { ...LOG, keep: 9 } } },
    { key: 'log', to: { log: { ...LOG, compress: false } }, asEver: ['nomad'] },
  ],
}

const OTHERS = [
  exportedProcess({ name: 'other' }),
  exportedProcess({ name: 'job', run: 'once' }),
  exportedProcess({ name: 'nightly', schedule: { cron: '0 3 * * *', tz: 'UTC' } }),
]

interface Rendered {
  readonly files: string
  readonly losses: readonly Problem[]
}

/** One process with this change beside some others: the files, and what is said to be lost of it. */
export function rendered(target: Target, change: Change | undefined): Rendered {
  const from = change ? { [change.key]: `PRODUCTION_PROCESSES["it"]["${change.key}"]` } : {}
  const processes = [exportedProcess({ name: 'it', ...change?.to, from }), ...OTHERS]
  const { files, problems } =
    target.runsIn === 'image'
      ? target.render(exportInput(processes))
      : target.render(exportInput(processes.map(onMachine), { user: 'www', image: undefined }))
  return {
    files: JSON.stringify(files),
    losses: problems.filter(({ process }) => process === 'it'),
  }
}

/** What runs on this machine is named by its full path. */
const onMachine = (exported: ExportedProcess): ExportedProcess => ({
  ...exported,
  argv: ['/srv/shop/.venv/bin/python', ...exported.argv.slice(1)],
})

/** Those that mean something to a target. */
export const changesFor = ({ runsIn, name }: Target): readonly Change[] =>
  Object.values(CHANGES)
    .flat()
    .filter(({ only = runsIn, asEver = [] }) => only === runsIn && !asEver.includes(name))

/** Whether the change is to be seen in the files; whether something of it is said to be lost. */
export function effectOf(
  target: Target,
  change: Change,
): { readonly isWritten: boolean; readonly losses: readonly string[] } {
  const { files, losses } = rendered(target, change)
  const place = `PRODUCTION_PROCESSES["it"]["${change.key}"]`
  return {
    isWritten: files !== rendered(target, undefined).files,
    losses: losses.filter((loss) => loss.place === place).map(({ message }) => message),
  }
}
