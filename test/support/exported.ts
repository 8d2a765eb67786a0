import type { ExportedProcess, ExportInput } from '../../src/export/input.ts'

/** A process as targets get it, with what every process has unless it is declared otherwise. */
export function exportedProcess(given: Partial<ExportedProcess> & { readonly name: string }): ExportedProcess {
  return {
    place: `PRODUCTION_PROCESSES[${JSON.stringify(given.name)}]`,
    kind: 'worker',
    backend: 'command',
    title: 'command',
    argv: ['/usr/bin/python3', '-m', 'app'],
    argvFrom: [],
    env: {},
    secrets: [],
    collectsStatic: false,
    cwd: '/app',
    listen: [],
    activated: null,
    alone: null,
    instances: 1,
    run: 'always',
    dependsOn: {},
    ready: { delayMs: 1000, intervalMs: 1000, timeoutMs: 5000, failures: 3, startMs: 60_000 },
    alive: null,
    restart: { policy: 'always', delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 },
    stop: { signal: 'TERM', timeoutMs: 30_000 },
    reload: 'restart',
    memoryLimitBytes: null,
    schedule: null,
    user: null,
    group: null,
    umask: null,
    nice: null,
    limits: {},
    log: { maxSizeBytes: 10 * 1024 ** 2, keep: 5, compress: true },
    enabled: true,
    from: {},
    origins: {},
    notes: [],
    ...given,
  }
}

/** What a target is given, for a project with a Dockerfile of its own. */
export function exportInput(processes: readonly ExportedProcess[], given: Partial<ExportInput> = {}): ExportInput {
  return {
    name: 'shop',
    project: {
      root: '/srv/shop',
      settings: { module: 'shop.settings', reason: 'manage.py' },
      python: { path: '/srv/shop/.venv/bin/python', version: '3.13.5', reason: '.venv' },
      config: null,
    },
    processes,
    user: undefined,
    image: 'shop:1',
    envFrom: [],
    environments: [],
    autoscale: [],
    found: new Set(['Dockerfile']),
    folders: { root: '', out: '' },
    collector: undefined,
    ...given,
  }
}
