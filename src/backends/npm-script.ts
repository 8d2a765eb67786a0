import type { Backend, Command, CommandInput } from './backend.ts'
import { allTokens } from './command-line.ts'
import { inheritInNode } from './inherit.ts'
import { hostAndPortOfNode } from './node.ts'

export const npmScript: Backend = {
  name: 'npm-script',
  title: 'npm script',
  summary: 'A script of the `package.json` in `CWD`, without npm, pnpm or yarn as its parent.',
  kind: 'web',
  paths: ['prodserver.backends.node.PackageScript'],
  app: 'package-script',
  appExample: 'start',
  // What it runs has options of its own, of which nothing is assumed.
  options: { hyphenate: false },
  example: { port: 3000 },
  command,
  inherit: inheritInNode(command),
  listen: hostAndPortOfNode,
  ready: { http: '/' },
  reload: 'rolling',
}

function command({ app: [program = '', ...rest], options, extra }: CommandInput): Command {
  return { program, args: [...rest, ...allTokens(options), ...extra] }
}
