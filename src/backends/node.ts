import type { Env } from '../core/types.ts'
import { joinHostPort, printAddress } from '../core/addresses.ts'
import type { Backend, Command, CommandInput, ListenInput } from './backend.ts'
import { allTokens } from './command-line.ts'
import { inheritInNode } from './inherit.ts'

export const node: Backend = {
  name: 'node',
  title: 'node',
  summary: 'A Node script, such as the server of a frontend.',
  kind: 'web',
  paths: ['prodserver.backends.node.NodeServer'],
  app: 'script',
  appExample: 'frontend/server.js',
  // A script's options are its own, so nothing is assumed of them.
  options: { hyphenate: false },
  example: { port: 3000 },
  command,
  inherit: inheritInNode(command),
  listen: hostAndPortOfNode,
  ready: { http: '/' },
  reload: 'rolling',
}

function command({ app, options, extra }: CommandInput): Command {
  return { program: 'node', args: [...app, ...allTokens(options), ...extra] }
}

/** Scripts have an option for the port, or read `PORT`, as most do; the same of the host. */
export function hostAndPortOfNode({ values, env }: ListenInput): readonly string[] {
  const port = values('port').at(-1) ?? env['PORT']
  // As some hosts give it: Node listens on a path where it is given one for a port.
  if (port?.startsWith('/')) return [printAddress({ path: port })]
  return port ? [joinHostPort(values('host').at(-1) ?? hostIn(env) ?? '0.0.0.0', port)] : []
}

/** Of a machine's name, which some shells put there, nobody can tell what it means. */
const hostIn = ({ HOST: host }: Env): string | undefined =>
  host !== undefined && /^(localhost|[\d.]+|[\da-f:]*:[\da-f:.]*)$/i.test(host) ? host : undefined
