import type { Backend } from './backend.ts'
import { allTokens } from './command-line.ts'

export const command: Backend = {
  name: 'command',
  title: 'command',
  summary: 'Any program. No shell is involved: words are split as a shell would, and nothing is expanded.',
  kind: 'worker',
  paths: ['prodserver.backends.command.Command'],
  app: 'words',
  appExample: 'caddy run --config deploy/Caddyfile',
  options: { hyphenate: false },
  example: {},
  command: ({ app: [program = '', ...rest], options, extra }) => ({
    program,
    args: [...rest, ...allTokens(options), ...extra],
  }),
}
