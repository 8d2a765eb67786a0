import type { Backend } from './backend.ts'
import { managementCommand } from './command-line.ts'
import { djangoOptions } from './django-command.ts'

export const djangoQ2: Backend = {
  name: 'django-q2',
  title: 'django-q2',
  summary: 'Django-Q2 cluster (`qcluster`): workers and scheduler. Its options are in the setting `Q_CLUSTER`.',
  kind: 'worker',
  paths: [
    'django_prodserver.backends.django_q2.DjangoQ2Worker',
    'django_prodserver.backends.workers.django_q2.DjangoQ2Worker',
  ],
  python: { module: 'django_q', package: 'django-q2', oldest: '1.8.0', installedApps: ['django_q'] },
  options: {
    ...djangoOptions,
    switches: [...djangoOptions.switches, 'run-once'],
    short: { ...djangoOptions.short, n: 'name' },
    // The original's documentation calls it so.
    aliases: { 'cluster-name': 'name', cluster_name: 'name', run_once: 'run-once' },
  },
  parser: 'django qcluster',
  example: { verbosity: 1 },
  command: managementCommand('qcluster'),
  // Logged at INFO, which LOGGING can hide.
  ready: { log: 'running\\.', delay: 10_000 },
  // Its own signal handler is known to hang now and then, so the end of the wait matters.
  stop: { signal: 'TERM', timeoutMs: 300_000 },
  // Its cluster has a scheduler inside, of which there should be one.
  reload: 'restart',
}
