/**
 * Loaded before a Node server (`node --require`), to serve on sockets that are already open, and to end without losing
 * a request: the counterpart of prodserver_runner.
 *
 * Whatever the server is made with, it calls `listen` of Node's own servers in the end: there it is given the socket that
 * the declaration names by its address. When it closes, it accepts no more, answers the next request on each kept-alive
 * connection with `Connection: close`, and closes those that stay silent after a bounded time. A script that does
 * not handle TERM closes its servers so, and then ends by it.
 *
 * Environment, removed once read: PRODSERVER_NODE_SOCKETS, JSON of `{"listen": {"0.0.0.0:3000": 3}, "probe": 4}`.
 */
import { parseAddress } from '../core/addresses.ts'
import cluster from 'node:cluster'
import { lookup } from 'node:dns'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { type ListenOptions, Server, type Socket } from 'node:net'
import { resolve } from 'node:path'

/** Connections that say nothing for this long are closed when the server stops. */
const LINGER_MS = 5000
const LOOK_MS = 250

interface Given {
  /** Descriptors by the addresses that are declared. */
  readonly listen: Record<string, number>
  readonly probe: number
}

const given = takeGiven()
const followed = new Set<Followed>()
// oxlint-disable-next-line typescript/unbound-method -- it is called for one server after the other
const { listen } = Server.prototype

Server.prototype.listen = function (this: Server, ...args: unknown[]) {
  const wanted = readArguments(args)
  const address = wanted && given && Object.keys(given.listen).find((declared) => isSame(declared, wanted))
  const server = new Followed(this)
  followed.add(server)
  this.once('close', () => followed.delete(server))
  const begin = (options: readonly unknown[]): Server => Reflect.apply(listen, this, options) as Server
  if (given === undefined || address === undefined) {
    const host = wanted?.host
    // The primary of a cluster accepts its connections, on the socket as it is declared.
    return cluster.isWorker && isNarrow(host) ? server.takeOnly(host, () => begin(args)) : begin(args)
  }
  const fd = given.listen[address] as number
  // A second server on the same address is told that it is in use, as ever.
  delete given.listen[address]
  answerProbes(this, given.probe)
  const onSocket = [{ ...wanted, fd }, args.findLast((value) => typeof value === 'function')]
  const host = hostWithin(address, wanted?.host)
  return host === undefined ? begin(onSocket) : server.takeOnly(host, () => begin(onSocket))
} as typeof listen

process.on('SIGTERM', end)

function takeGiven(): Given | undefined {
  const text = process.env['PRODSERVER_NODE_SOCKETS']
  // What it starts itself has not got them.
  delete process.env['PRODSERVER_NODE_SOCKETS']
  return text === undefined ? undefined : (JSON.parse(text) as Given)
}

/** The forms of `listen`; undefined for a handle or a descriptor, which are open already. */
function readArguments([first, second]: readonly unknown[]): ListenOptions | undefined {
  if (typeof first === 'object' && first !== null)
    return 'port' in first || 'path' in first ? (first as ListenOptions) : undefined
  if (typeof first === 'string' && Number.isNaN(Number(first))) return { path: first }
  if (typeof first !== 'string' && typeof first !== 'number') return undefined
  return typeof second === 'string' ? { port: Number(first), host: second } : { port: Number(first) }
}

function isSame(declared: string, { port, path }: ListenOptions): boolean {
  const address = parseAddress(declared)
  if (path !== undefined) return 'path' in address && resolve(address.path) === resolve(path)
  return 'port' in address && address.port === Number(port)
}

/**
 * The host that connections must have come to, where the script asks for less of the machine than is declared: the
 * socket is open as it is declared, and nobody gets in who would not have got in otherwise.
 */
function hostWithin(address: string, host: string | undefined): string | undefined {
  const declared = parseAddress(address)
  if (!isNarrow(host) || 'path' in declared || host === declared.host) return undefined
  process.stderr.write(
    `prodserver: ${address} is declared, and the script listens on ${host}: others get no answer. Declare its host in ARGS or as HOST\n`,
  )
  return host
}

/** A cluster has null where its workers have said nothing. */
const isNarrow = (host: string | null | undefined): host is string => !!host && !['0.0.0.0', '::'].includes(host)

/**
 * Has the connections of one more socket served like those of the server's own, wherever that sends them: a cluster hands
 * them to its workers before they are connections here.
 */
function answerProbes(server: Server, fd: number): void {
  const probes = new Server()
  server.prependOnceListener('listening', () => {
    const own = handleOf(server)
    Reflect.apply(listen, probes, [{ fd }])
    const other = handleOf(probes)
    if (own && other) other.onconnection = (status, connection) => own.onconnection(status, connection)
    // It does not keep the process alive by itself.
    probes.unref()
  })
  server.once('close', () => probes.close())
}

interface Handle {
  onconnection: (status: number, connection: unknown) => void
}

function handleOf(server: Server): Handle | undefined {
  const { _handle: handle } = server as unknown as { readonly _handle?: Handle }
  return handle
}

/** A server, and what of it is under way. */
class Followed {
  readonly server: Server
  #addresses: readonly string[] | undefined
  readonly #open = new Set<ServerResponse>()
  /** Connections that have asked for nothing yet. */
  readonly #fresh = new Set<Socket>()
  /** Connections that speak another protocol by now. */
  readonly #upgraded = new Set<Socket>()
  #closing = false
  /** It ends the process: nobody else closes what HTTP knows nothing of. */
  #isAll = false

  constructor(server: Server) {
    this.server = server
    const emit = server.emit.bind(server)
    server.emit = (event: string, ...args: unknown[]): boolean => {
      if (event === 'connection' && this.#refuses(args[0] as Socket)) return true
      this.#see(event, args)
      return emit(event, ...args)
    }
    if (!isHttp(server)) return
    server.close = (callback) => {
      this.#beginClosing(server)
      return Server.prototype.close.call(server, callback) as typeof server
    }
  }

  /** Connections to any other address are closed at once. As Node has it, a name is looked up first. */
  takeOnly(host: string, begin: () => void): Server {
    lookup(host, { all: true }, (error, found) => {
      if (error) return void this.server.emit('error', error)
      this.#addresses = found.map(({ address }) => address)
      begin()
    })
    return this.server
  }

  /** Accepts no more, and resolves when all that is under way has ended. */
  end(): Promise<void> {
    this.#isAll = true
    return new Promise((settle) => void this.server.close(() => settle()))
  }

  #refuses(socket: Socket): boolean {
    const local = socket.localAddress?.replace(/^::ffff:/, '')
    if (this.#addresses === undefined || local === undefined || this.#addresses.includes(local)) return false
    socket.destroy()
    return true
  }

  #see(event: string, [first, second]: readonly unknown[]): void {
    if (event === 'connection') remember(this.#fresh, first as Socket)
    else if (event === 'upgrade' || event === 'connect') remember(this.#upgraded, second as Socket)
    else if (event === 'request' || event === 'checkContinue') {
      this.#fresh.delete((first as IncomingMessage).socket)
      remember(this.#open, second as ServerResponse)
      if (this.#closing) keepNoLonger(second as ServerResponse)
    }
  }

  /** Node's own `close` closes every idle connection at once, on some of which the next request is on its way. */
  #beginClosing(server: HttpServer): void {
    if (this.#closing) return
    this.#closing = true
    for (const response of this.#open) keepNoLonger(response)
    const closeIdle = server.closeIdleConnections.bind(server)
    server.closeIdleConnections = () => {}
    const started = performance.now()
    const timer = setInterval(() => {
      if (performance.now() - started < LINGER_MS) return
      closeIdle()
      for (const socket of this.#fresh) socket.destroy()
      if (this.#isAll) for (const socket of this.#upgraded) socket.destroy()
    }, LOOK_MS)
    server.once('close', () => clearInterval(timer))
  }
}

const isHttp = (server: Server): server is HttpServer => 'closeIdleConnections' in server

/** In the set for as long as it is open. */
function remember<T extends Socket | ServerResponse>(set: Set<T>, item: T): void {
  set.add(item)
  item.once('close', () => set.delete(item))
}

function keepNoLonger(response: ServerResponse): void {
  if (!response.headersSent) response.shouldKeepAlive = false
}

/** Whoever handles TERM decides by itself; for whoever does not, what is under way is finished first. */
function end(): void {
  // Gone before anybody counts who else is there, as programs do that only clean up.
  process.off('SIGTERM', end)
  if (process.listenerCount('SIGTERM') > 0) return
  void Promise.all([...[...followed].map((server) => server.end()), endWorkers()]).then(() =>
    process.kill(process.pid, 'SIGTERM'),
  )
}

/** The workers of a cluster end their servers in the same way: they have loaded this file as well. */
async function endWorkers(): Promise<void> {
  const exits = Object.values(cluster.workers ?? {}).map(
    (worker) => new Promise((settle) => worker?.process.once('exit', settle)),
  )
  // Its callback comes before they have ended.
  if (exits.length > 0) cluster.disconnect()
  await Promise.all(exits)
}
