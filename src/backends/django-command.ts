import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend } from './backend.ts'
import { allTokens } from './command-line.ts'

/** Options that every Django command has. */
export const djangoOptions = {
  switches: ['traceback', 'no-color', 'force-color', 'skip-checks', 'help', 'version'],
  short: { v: 'verbosity', h: 'help' },
  // A project's own command may have options with an underscore.
  hyphenate: false,
} as const satisfies OptionGrammar

export const djangoCommand: Backend = {
  name: 'django-command',
  title: 'django command',
  summary: 'Any management command: a worker of your own, or a one-off job such as `migrate`.',
  kind: 'task',
  paths: ['prodserver.backends.django.DjangoCommand'],
  app: 'words',
  appExample: 'collectstatic --noinput',
  python: { module: 'django', package: 'django' },
  options: { ...djangoOptions, switches: [...djangoOptions.switches, 'noinput', 'no-input'] },
  example: { noinput: true },
  command: ({ app, options, extra, django }) => ({
    program: 'python',
    args: ['-m', 'django', ...app, ...django, ...allTokens(options), ...extra],
  }),
}
