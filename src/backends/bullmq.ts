import type { Backend } from './backend.ts'
import { allTokens } from './command-line.ts'

export const bullmq: Backend = {
  name: 'bullmq',
  title: 'BullMQ worker',
  summary: 'The BullMQ workers that a module exports. A stop waits for the jobs that are running.',
  kind: 'worker',
  paths: ['prodserver.backends.node.BullMqWorker'],
  app: 'worker-module',
  appExample: 'frontend/workers.js',
  node: { package: 'bullmq' },
  // They are the module's own, in `process.argv`.
  options: { hyphenate: false },
  example: {},
  command: ({ app, options, extra }) => ({ program: 'node', args: [...app, ...allTokens(options), ...extra] }),
  ready: { log: '^prodserver: \\d+ workers? ready' },
  stop: { signal: 'TERM', timeoutMs: 300_000 },
  reload: 'rolling',
}
