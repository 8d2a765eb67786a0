import { toSeconds } from '../../core/durations.ts'
import { clientAddress, isLoopbackHost, probedAddress, withoutBrackets } from '../../core/addresses.ts'
import type { PlannedProject } from '../../plan/plan.ts'
import type { ExportedProcess } from '../input.ts'
import { quoteCommand } from './quote.ts'
import type { Setting } from './units.ts'

/**
 * systemd counts a service as started when the commands of `ExecStartPost=` have ended, so one that asks until it is
 * answered is a probe. It needs what is there: a shell, and the project's own Python.
 */
export function readiness({ ready, listen }: ExportedProcess, { python }: PlannedProject): readonly Setting[] {
  const { http, tcp, exec, delayMs, notify, startMs, intervalMs, timeoutMs } = ready
  const limit = ['TimeoutStartSec', String(toSeconds(startMs))] as const
  if (notify) return [['NotifyAccess', 'all'], limit]
  const command = exec ?? askWith(python?.path, http ?? tcp, { isHttp: http !== undefined, listen, timeoutMs })
  if (command) return [['ExecStartPost', quoteCommand(waitFor(command, intervalMs))], limit]
  return [...(delayMs ? [['ExecStartPost', `/bin/sleep ${toSeconds(delayMs)}`] as const] : []), limit]
}

/** Ends as soon as the probe passes, and fails as soon as nobody is left to be asked. */
const waitFor = (probe: readonly string[], intervalMs: number): readonly string[] => [
  '/bin/sh',
  '-c',
  `until "$@" >/dev/null 2>&1; do kill -0 "$MAINPID" && sleep ${toSeconds(intervalMs)} || exit 1; done`,
  'ready',
  ...probe,
]

interface Question {
  readonly isHttp: boolean
  readonly listen: readonly string[]
  readonly timeoutMs: number
}

/** A line of Python that exits with 0 when it is answered; any status below 500 is an answer. */
function askWith(
  python: string | undefined,
  asked: string | undefined,
  question: Question,
): readonly string[] | undefined {
  const code = asked === undefined ? undefined : (question.isHttp ? askHttp : askTcp)(asked, question)
  return python === undefined || code === undefined ? undefined : [python, '-c', code]
}

function askHttp(asked: string, { listen: [address], timeoutMs }: Question): string | undefined {
  const timeout = toSeconds(timeoutMs)
  if (asked.startsWith('/')) {
    if (address === undefined) return undefined
    return [
      'import http.client, socket, sys',
      `c = http.client.HTTPConnection("localhost", timeout=${timeout})`,
      ...connect('c.sock', address, timeout),
      `c.request("GET", ${JSON.stringify(asked)})`,
      'sys.exit(c.getresponse().status > 499)',
    ].join('; ')
  }
  if (!URL.canParse(asked)) return undefined
  const { protocol, hostname, port, pathname, search } = new URL(asked)
  const host = withoutBrackets(hostname)
  const isEncrypted = protocol === 'https:'
  const where = `${JSON.stringify(host)}, ${port || (isEncrypted ? 443 : 80)}, timeout=${timeout}`
  // Nobody issues a certificate for this machine itself.
  const isLocal = isLoopbackHost(host)
  const context = isEncrypted && isLocal ? ', context=ssl._create_unverified_context()' : ''
  return [
    'import http.client, ssl, sys',
    `c = http.client.${isEncrypted ? 'HTTPSConnection' : 'HTTPConnection'}(${where}${context})`,
    `c.request("GET", ${JSON.stringify(pathname + search)})`,
    'sys.exit(c.getresponse().status > 499)',
  ].join('; ')
}

function askTcp(asked: string, { listen, timeoutMs }: Question): string {
  return ['import socket', ...connect('s', probedAddress(asked, listen), toSeconds(timeoutMs))].join('; ')
}

/** Statements that put a connection into a name. */
function connect(name: string, text: string, timeout: number): readonly string[] {
  const address = clientAddress(text)
  if ('path' in address)
    return [
      `${name} = socket.socket(socket.AF_UNIX)`,
      `${name}.settimeout(${timeout})`,
      `${name}.connect(${JSON.stringify(address.path)})`,
    ]
  const { host, port } = address
  return [`${name} = socket.create_connection((${JSON.stringify(host)}, ${port}), ${timeout})`]
}
