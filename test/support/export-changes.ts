import type { ProcessKey } from '../../src/generated/keys.ts'
import type { Problem } from '../../src/core/errors.ts'
import { exportPlan } from '../../src/export/export-plan.ts'
import type { ExportedProcess } from '../../src/export/input.ts'
import { SHARED_ROWS } from '../../src/export/support.ts'
import type { Target } from '../../src/export/target.ts'
import { PLANNED_FIELDS } from '../../src/plan/planned-keys.ts'
import { exportedProcess, exportInput } from './exported.ts'
import { createPlanned, exampleValue } from './specs.ts'

/** A process that declares one key, and differs by it from a process that declares nothing. */
interface Change {
  readonly key: ProcessKey
  readonly to: Partial<ExportedProcess>
  /** Fields of both processes. Default: none. */
  readonly both?: Partial<ExportedProcess>
  /** Targets for which the change means something. Default: all. */
  readonly only?: Target['runsIn']
  /** Targets whose files express the declared value already without the key. */
  readonly sameIn?: readonly string[]
}

const READY = { intervalMs: 1000, timeoutMs: 5000, failures: 3, startMs: 60_000 }
const RESTART = { policy: 'always', delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 } as const
const LOG = { maxSizeBytes: 10 * 1024 ** 2, keep: 5, compress: true }

/** Every way in which a declaration differs from the default, key by key. Default: the example of the key. */
const CHANGES: Readonly<Partial<Record<ProcessKey, readonly Change[]>>> = {
  args: [
    { key: 'args', to: { argv: ['/usr/bin/python3', '-m', 'app', '--verbose'] } },
    // On a machine a client reaches the address without a word in the files.
    { key: 'args', to: { kind: 'web', listen: ['0.0.0.0:8000'] }, only: 'image' },
  ],
  env: [
    { key: 'env', to: { env: { COLOUR: 'blue' } } },
    { key: 'env', to: { env: { COLOUR: null } } },
  ],
  cwd: [{ key: 'cwd', to: { cwd: '/app/inner' } }],
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
    { key: 'alive', to: { alive: { ...READY, tcp: '8000' } }, both: { listen: ['0.0.0.0:8000'] } },
    { key: 'alive', to: { alive: { ...READY, exec: ['python', 'check.py'] } } },
    { key: 'alive', to: { alive: { ...READY, log: 'ready' } } },
    { key: 'alive', to: { alive: { ...READY, notify: true } } },
    { key: 'alive', to: { alive: { ...READY, delayMs: 7000 } } },
  ],
  restart: [
    { key: 'restart', to: { restart: { ...RESTART, policy: 'on-failure' } } },
    { key: 'restart', to: { restart: { ...RESTART, policy: 'never' } } },
    { key: 'restart', to: { restart: { ...RESTART, policy: 'on-failure' } }, both: { run: 'once' } },
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
  memoryLimit: [{ key: 'memoryLimit', to: { memoryLimitBytes: 1024 ** 3 } }],
  schedule: [
    { key: 'schedule', to: { schedule: { cron: '0 3 * * *', tz: 'UTC' } } },
    { key: 'schedule', to: { schedule: { cron: '0 3 * * *', tz: 'Europe/Berlin' } } },
    { key: 'schedule', to: { schedule: { cron: '30 0 3 * * *', tz: 'UTC' } } },
  ],
  user: [
    { key: 'user', to: { user: 'shop' } },
    { key: 'user', to: { user: '1001' } },
  ],
  group: [
    { key: 'group', to: { group: 'www-data' } },
    { key: 'group', to: { group: '33' }, both: { user: '1000' } },
  ],
  limits: [
    { key: 'limits', to: { limits: { nofile: '65536' } } },
    { key: 'limits', to: { limits: { as: '1000000' } } },
    { key: 'limits', to: { limits: { nofile: ':65536' } } },
  ],
  log: [
    { key: 'log', to: { log: { ...LOG, maxSizeBytes: 1024 } } },
    { key: 'log', to: { log: { ...LOG, keep: 9 } } },
    { key: 'log', to: { log: { ...LOG, compress: false } }, sameIn: ['supervisor', 'nomad'] },
  ],
}

const OTHERS = [
  exportedProcess({ name: 'other' }),
  exportedProcess({ name: 'job', run: 'once' }),
  exportedProcess({ name: 'nightly', schedule: { cron: '0 3 * * *', tz: 'UTC' } }),
]

interface Sample {
  readonly files: string
  readonly problems: readonly Problem[]
}

/** Exports one process beside some other processes. */
function sample(target: Target, given: Partial<ExportedProcess>): Sample {
  const processes = [exportedProcess({ ...given, name: 'it' }), ...OTHERS]
  const input =
    target.runsIn === 'image'
      ? exportInput(processes)
      : exportInput(processes.map(onMachine), { user: 'www', image: undefined })
  const { files, problems } = exportPlan(target, input)
  return { files: JSON.stringify(files), problems: problems.filter(({ process }) => process === 'it') }
}

const locationOf = (key: ProcessKey): string => `PRODUCTION_PROCESSES["it"]["${key}"]`

/** Files on this machine name a program by its full path. */
const onMachine = (process: ExportedProcess): ExportedProcess => ({
  ...process,
  argv: ['/srv/shop/.venv/bin/python', ...process.argv.slice(1)],
})

/** Returns the changes of one key that mean something to the target. */
export const changesFor = ({ runsIn, name }: Target, key: ProcessKey): readonly Change[] =>
  (CHANGES[key] ?? exampleOf(key)).filter(({ only = runsIn, sameIn = [] }) => only === runsIn && !sameIn.includes(name))

/** Returns the change that the example of a key makes; none for a key that the plan has resolved for every target. */
function exampleOf(key: ProcessKey): readonly Change[] {
  const field = PLANNED_FIELDS.find((planned) => planned.key === key)?.field
  if (field === undefined || key in SHARED_ROWS) return []
  return [{ key, to: { [field]: createPlanned({ [key]: exampleValue(key) })[field] } }]
}

/** Effect of a change of a declaration on an export. */
export interface Effect {
  /** Whether the files differ. */
  readonly isWritten: boolean
  /** Warnings and errors at the location of the key. */
  readonly problems: readonly Problem[]
}

export function effectOf(target: Target, { key, to, both }: Change): Effect {
  const { files, problems } = sample(target, { ...both, ...to, from: { [key]: locationOf(key) } })
  return {
    isWritten: files !== sample(target, both ?? {}).files,
    problems: problems.filter(({ place }) => place === locationOf(key)),
  }
}

/** Returns the problems of a process that declares nothing. */
export const problemsOfDefault = (target: Target): readonly Problem[] => sample(target, {}).problems
