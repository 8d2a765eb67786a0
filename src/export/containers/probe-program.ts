import { toSeconds } from '../../core/durations.ts'
import { type Address, clientAddress, isLoopbackHost, probedAddress, withoutBrackets } from '../../core/addresses.ts'
import type { PlannedProbe, PlannedProject } from '../../plan/plan.ts'

/** What every image of the project has. */
export type Interpreter = 'python' | 'node'

export const interpreterOf = ({ python }: PlannedProject): Interpreter => (python ? 'python' : 'node')

/**
 * What asks a probe inside of the container: the program that is declared, or the interpreter that the image has in any
 * case, where curl and wget may be missing. As in `up`, any answer below 500 is one of a server that works.
 *
 * Undefined where there is nothing to ask: no such probe, or no address.
 */
export function probeProgram(
  probe: PlannedProbe,
  listen: readonly string[],
  interpreter: Interpreter,
): readonly string[] | undefined {
  if (probe.exec !== undefined) return probe.exec
  const asked = askedBy(probe, listen)
  if (!asked) return undefined
  return interpreter === 'python' ? ['python', '-c', pythonCode(asked)] : ['node', '-e', nodeCode(asked)]
}

/** A question, whoever asks it. */
interface Asked {
  readonly to: Address
  /** Undefined where a connection is answer enough. */
  readonly request: { readonly path: string; readonly host: string; readonly tls: boolean } | undefined
  readonly timeoutMs: number
}

function askedBy({ http, tcp, timeoutMs }: PlannedProbe, listen: readonly string[]): Asked | undefined {
  const [address] = listen
  if (http?.startsWith('/'))
    return address === undefined
      ? undefined
      : { to: clientAddress(address), request: { path: asciiPath(http), host: 'localhost', tls: false }, timeoutMs }
  if (http !== undefined) {
    const url = URL.parse(http)
    if (!url) return undefined
    const tls = url.protocol === 'https:'
    const port = Number(url.port) || (tls ? 443 : 80)
    const request = { path: `${url.pathname}${url.search}`, host: url.host, tls }
    return { to: { host: withoutBrackets(url.hostname), port }, request, timeoutMs }
  }
  if (tcp === undefined) return undefined
  return { to: clientAddress(probedAddress(tcp, listen)), request: undefined, timeoutMs }
}

/** Nobody has a certificate for a name that every machine has. */
const isLocal = (to: Address): boolean => 'host' in to && isLoopbackHost(to.host)

function pythonCode({ to, request, timeoutMs }: Asked): string {
  const timeout = toSeconds(timeoutMs)
  const unix =
    'path' in to
      ? `s = socket.socket(socket.AF_UNIX); s.settimeout(${timeout}); s.connect(${quote(to.path)})`
      : undefined
  const where = 'host' in to ? `${quote(to.host)}, ${to.port}` : ''
  if (!request) return `import socket; ${unix ?? `socket.create_connection((${where}), ${timeout}).close()`}`
  const context = request.tls && isLocal(to)
  const connect = unix
    ? `import socket; ${unix}; c = h.HTTPConnection('localhost'); c.sock = s`
    : `c = h.HTTP${request.tls ? 'S' : ''}Connection(${where}, timeout=${timeout}${context ? ', context=ssl._create_unverified_context()' : ''})`
  return [
    `import http.client as h${context ? ', ssl' : ''}`,
    connect,
    `c.request('GET', ${quote(request.path)}, headers={'Host': ${quote(request.host)}})`,
    'exit(c.getresponse().status > 499)',
  ].join('; ')
}

function nodeCode({ to, request, timeoutMs }: Asked): string {
  const end = "on('error', () => process.exit(1))"
  const late = `setTimeout(() => process.exit(1), ${timeoutMs})`
  const where = 'path' in to ? `path: ${quote(to.path)}` : `host: ${quote(to.host)}, port: ${to.port}`
  if (!request) return `${late}; require('net').connect({${where}}, () => process.exit(0)).${end}`
  const socket = where.replace(/^path/, 'socketPath')
  const options = [socket, `path: ${quote(request.path)}`, `headers: {host: ${quote(request.host)}}`]
  if (request.tls && isLocal(to)) options.push('rejectUnauthorized: false')
  const module = request.tls ? 'https' : 'http'
  return `${late}; require('${module}').get({${options.join(', ')}}, (r) => process.exit(r.statusCode > 499 ? 1 : 0)).${end}`
}

const asciiPath = (path: string): string => path.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character))

/** A string as Python and JavaScript read it. */
const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
