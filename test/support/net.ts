import { once } from 'node:events'
import { get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { type Running, waitUntil } from './running.ts'

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Reply {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** One GET over TCP or over a Unix socket, on a connection of its own. */
export function httpGet(
  target: { readonly port: number } | { readonly socketPath: string },
  path = '/',
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((settle, fail) => {
    const request = get(
      {
        ...('port' in target ? { host: '127.0.0.1', port: target.port } : target),
        path,
        agent: false,
        timeout: 20_000,
        headers: { host: 'localhost', ...headers },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          settle({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
        response.on('error', fail)
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer in 20 s')))
    request.on('error', fail)
  })
}

/** Waits until the server answers, whatever it answers; fails with its output when it does not. */
export function waitForHttp(
  server: Running,
  target: { readonly port: number } | { readonly socketPath: string },
  path = '/',
): Promise<Reply> {
  return waitUntil(
    async () => {
      const over = !server.isRunning()
      const reply = await httpGet(target, path).catch(() => undefined)
      if (over && !reply) throw new Error(`It ended before it answered GET ${path}.\n${server.output()}`)
      return reply
    },
    60_000,
    () => `No answer to GET ${path}.\n${server.output()}`,
  )
}
