/**
 * The frontend of the example: one page, what Django says below /api/, and what the supervisor knows. It needs nothing
 * but Node.
 *
 *     node frontend/server.js --host=127.0.0.1 --port=3000
 */
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '3000' } },
})
const django = new URL(process.env.DJANGO_URL ?? 'http://127.0.0.1:8000')
// The path of a Unix socket must be short, and the one from here is.
const supervisor =
  process.env.PRODSERVER_STATE_DIR &&
  relative(process.cwd(), join(process.env.PRODSERVER_STATE_DIR, 'control.sock'))

const server = createServer((incoming, outgoing) => {
  const path = incoming.url ?? '/'
  if (!isOurs(incoming.headers.host)) send(outgoing, 421, 'text/plain', 'This server has another name\n')
  else if (path === '/health') send(outgoing, 200, 'text/plain', 'ok\n')
  else if (path === '/') send(outgoing, 200, 'text/html; charset=utf-8', page())
  else if (path.startsWith('/api/')) forward(incoming, outgoing, { host: django.hostname, port: django.port, path: path.slice(4) })
  else if (path === '/supervisor' && incoming.method === 'GET') askSupervisor(incoming, outgoing)
  else send(outgoing, 404, 'text/plain', 'Not found\n')
})

server.listen(Number(values.port), values.host, () => {
  console.log(`The frontend listens on http://${values.host}:${server.address().port}/`)
})

// Whoever waits for an answer gets it; the others are asked to go.
process.on('SIGTERM', () => {
  console.log('The frontend stops')
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})

/** The page as it is now: change it, and load it again. */
function page() {
  return readFileSync(new URL('index.html', import.meta.url))
}

/** Another name may lead here too, from a page that has no business with us. */
function isOurs(host = '') {
  return ['localhost', '127.0.0.1', '[::1]'].includes(host.replace(/:\d+$/, ''))
}

function askSupervisor(incoming, outgoing) {
  if (!supervisor) return send(outgoing, 404, 'text/plain', 'No supervisor runs this\n')
  return forward(incoming, outgoing, { socketPath: supervisor, path: '/v1/processes?usage=1' })
}

/** Passes a request on, and the answer back. */
function forward(incoming, outgoing, target) {
  const { method, headers } = incoming
  const onward = request({ ...target, method, headers: { ...headers, connection: 'close' } }, (answer) => {
    const { connection, 'keep-alive': keepAlive, ...rest } = answer.headers
    outgoing.writeHead(answer.statusCode, rest)
    answer.pipe(outgoing)
  })
  onward.setTimeout(30_000, () => onward.destroy(new Error('no answer within 30 s')))
  onward.on('error', ({ message }) => {
    if (outgoing.headersSent) outgoing.destroy()
    else send(outgoing, 502, 'text/plain', `It cannot be asked: ${message}\n`)
  })
  incoming.pipe(onward)
}

function send(outgoing, status, type, body) {
  outgoing.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
