import type { ProcessSpec } from '../../src/supervisor/spec.ts'

/** A process as a supervisor is told of it, a plain worker unless said otherwise. */
export function createSpec(more: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    name: 'worker',
    kind: 'worker',
    backend: 'command',
    title: 'worker',
    argv: ['/bin/true'],
    env: {},
    cwd: '/',
    listen: [],
    inherited: null,
    alone: null,
    instances: 1,
    run: 'always',
    dependsOn: {},
    ready: { delayMs: 0, intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 },
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
    log: { maxSizeBytes: 10 * 1024 ** 2, keep: 5, compress: false },
    enabled: true,
    hash: 'as declared',
    ...more,
  }
}
