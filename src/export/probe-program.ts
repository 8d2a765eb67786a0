import { toSeconds } from '../core/durations.ts'
import { type Address, clientAddress, isLoopbackHost, probedAddress, withoutBrackets } from '../core/addresses.ts'
import type { PlannedProbe, PlannedProject } from '../plan/plan.ts'

/** The interpreter of the project, which is there wherever the project runs. */
export type Interpreter = 'python' | 'node'

export const interpreterOf = ({ python }: PlannedProject): Interpreter => (python ? 'python' : 'node')

/**
 * Returns a command that succeeds when the probe does: the declared program, or code for the interpreter, because an image
 * may have neither curl nor wget. As under `up`, any status below 500 is a success.
 *
 * Undefined for a probe of another kind, and for a path of a process that listens nowhere.
 */
export function probeProgram(
  probe: PlannedProbe,
  listen: readonly string[],
  interpreter: Interpreter,
): readonly string[] | undefined {
  if (probe.exec !== undefined) return probe.exec
  const question = questionOf(probe, listen)
  if (!question) return undefined
  return interpreter === 'python' ? ['python', '-c', pythonCode(question)] : ['node', '-e', nodeCode(question)]
}

/** A connection to make, and perhaps a request to send over it. */
interface Question {
  readonly to: Address
  readonly timeoutMs: number
  /** Undefined if a connection is enough. */
  readonly request?: { readonly path: string; readonly host: string; readonly isTls: boolean }
}

function questionOf({ http, tcp, timeoutMs }: PlannedProbe, listen: readonly string[]): Question | undefined {
  const [address] = listen
  if (http?.startsWith('/'))
    return address === undefined
      ? undefined
      : { to: clientAddress(address), timeoutMs, request: { path: asciiPath(http), host: 'localhost', isTls: false } }
  if (tcp !== undefined && http === undefined) return { to: clientAddress(probedAddress(tcp, listen)), timeoutMs }
  const url = URL.parse(http ?? '')
  if (!url) return undefined
  const isTls = url.protocol === 'https:'
  const port = Number(url.port) || (isTls ? 443 : 80)
  const request = { path: `${url.pathname}${url.search}`, host: url.host, isTls }
  return { to: { host: withoutBrackets(url.hostname), port }, timeoutMs, request }
}

const asciiPath = (path: string): string => path.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character))

/** Whether the server's certificate cannot be checked: no authority issues one for a loopback address. */
const isUnchecked = ({ to, request }: Question): boolean =>
  request?.isTls === true && 'host' in to && isLoopbackHost(to.host)

function pythonCode(question: Question): string {
  const { to, request, timeoutMs } = question
  if (!request) return `import socket; ${pythonSocket(to, timeoutMs)}`
  const ask = `c.request('GET', ${quote(request.path)}, headers={'Host': ${quote(request.host)}})`
  return `${pythonConnection(question)}; ${ask}; exit(c.getresponse().status > 499)`
}

/** Statements that connect a socket `s`. */
function pythonSocket(to: Address, timeoutMs: number): string {
  const timeout = toSeconds(timeoutMs)
  if ('path' in to) return `s = socket.socket(socket.AF_UNIX); s.settimeout(${timeout}); s.connect(${quote(to.path)})`
  return `s = socket.create_connection((${quote(to.host)}, ${to.port}), ${timeout})`
}

/** Statements that open an HTTP connection `c`. */
function pythonConnection(question: Question): string {
  const { to, request, timeoutMs } = question
  if ('path' in to) {
    const connect = pythonSocket(to, timeoutMs)
    return `import http.client as h, socket; ${connect}; c = h.HTTPConnection('localhost'); c.sock = s`
  }
  const where = `${quote(to.host)}, ${to.port}, timeout=${toSeconds(timeoutMs)}`
  if (!request?.isTls) return `import http.client as h; c = h.HTTPConnection(${where})`
  if (!isUnchecked(question)) return `import http.client as h; c = h.HTTPSConnection(${where})`
  return `import http.client as h, ssl; c = h.HTTPSConnection(${where}, context=ssl._create_unverified_context())`
}

function nodeCode(question: Question): string {
  const { to, request, timeoutMs } = question
  const late = `setTimeout(() => process.exit(1), ${timeoutMs})`
  const failure = "on('error', () => process.exit(1))"
  if (!request) {
    const options = 'path' in to ? `path: ${quote(to.path)}` : `host: ${quote(to.host)}, port: ${to.port}`
    return `${late}; require('net').connect({${options}}, () => process.exit(0)).${failure}`
  }
  const options = 'path' in to ? [`socketPath: ${quote(to.path)}`] : [`host: ${quote(to.host)}, port: ${to.port}`]
  options.push(`path: ${quote(request.path)}`, `headers: {host: ${quote(request.host)}}`)
  if (isUnchecked(question)) options.push('rejectUnauthorized: false')
  const module = request.isTls ? 'https' : 'http'
  const exit = '(r) => process.exit(r.statusCode > 499 ? 1 : 0)'
  return `${late}; require('${module}').get({${options.join(', ')}}, ${exit}).${failure}`
}

/** Writes a string that Python and JavaScript read alike. */
const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
