import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { TestContext } from 'node:test'

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Serves an API on a free port until the test ends. Answers 500 if the handler throws. @returns its URL */
export async function serveApi(t: TestContext, handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    handler(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    })
  })
  const port = await listenUntilEnd(t, server)
  return `http://127.0.0.1:${port}`
}

/** Listens on a free port until the test ends, and then closes all connections. @returns the port */
export async function listenUntilEnd(
  t: TestContext,
  server: Server & { readonly closeAllConnections: () => void },
): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })
  return (server.address() as AddressInfo).port
}

export function replyJson(response: ServerResponse, body: object, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return JSON.parse(text)
}
