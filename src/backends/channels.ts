import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend } from './backend.ts'
import { wordsLast } from './command-line.ts'
import { djangoOptions } from './django-command.ts'

const options: OptionGrammar = {
  ...djangoOptions,
  positionals: { channels: ', ' },
  aliases: { channel: 'channels' },
}

export const channelsWorker: Backend = {
  name: 'channels-worker',
  title: 'channels worker',
  summary:
    'Worker of Django Channels (`runworker`) for background consumers. A stop waits for synchronous ones, and cancels others.',
  kind: 'worker',
  python: { module: 'channels', package: 'channels', oldest: '4.1.0', installedApps: ['channels'] },
  options,
  parser: 'django runworker',
  example: { channels: 'thumbnails,mail' },
  command: (input) => ({
    program: 'python',
    args: ['-m', 'django', 'runworker', ...input.django, ...wordsLast('channels', input, options)],
  }),
  // Logged at INFO, which the default LOGGING does not show.
  ready: { log: 'Running worker for channels', delay: 5000 },
  // TERM has no handler. INT cancels asynchronous consumers, and waits for what runs in a thread.
  stop: { signal: 'INT', timeoutMs: 300_000 },
  reload: 'rolling',
}
