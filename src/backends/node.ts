import { address, allTokens, type Backend } from './backend.ts'

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
  command: ({ app, options, extra }) => ({ program: 'node', args: [...app, ...allTokens(options), ...extra] }),
  listen: ({ values, env }) => {
    const port = values('port').at(-1) ?? env['PORT']
    return port ? [address(values('host').at(-1) ?? '0.0.0.0', port)] : []
  },
}
