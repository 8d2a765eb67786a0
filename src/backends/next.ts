import type { OptionGrammar } from '../args/grammar.ts'
import { joinHostPort } from '../core/addresses.ts'
import type { Backend, Command, CommandInput } from './backend.ts'
import { allTokens, isGiven } from './command-line.ts'
import { inheritInNode } from './inherit.ts'

const options: OptionGrammar = {
  switches: ['inspect', 'help'],
  hyphenate: false,
  aliases: { host: 'hostname', keep_alive_timeout: 'keepAliveTimeout', 'keep-alive-timeout': 'keepAliveTimeout' },
  short: { p: 'port', H: 'hostname', h: 'help' },
}

export const next: Backend = {
  name: 'next',
  title: 'Next.js',
  summary: "Next.js's server of what `next build` has made, in the folder `CWD`.",
  kind: 'web',
  paths: ['prodserver.backends.node.NextServer'],
  node: { package: 'next', program: 'next' },
  options,
  example: { port: 3000 },
  command,
  inherit: (input, sockets) =>
    isGiven(['inspect'], input, options) ? undefined : inheritInNode(command)(input, sockets),
  listen: ({ values, env }) => [
    joinHostPort(values('hostname').at(-1) ?? '0.0.0.0', values('port').at(-1) ?? (env['PORT'] || '3000')),
  ],
  ready: { http: '/' },
  reload: 'rolling',
}

function command({ app, options: given, extra }: CommandInput): Command {
  return { program: 'node', args: [...app, 'start', ...allTokens(given), ...extra] }
}
