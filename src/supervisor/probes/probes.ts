import { printDuration } from '../../core/durations.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { type Address, clientAddress, probedAddress, withoutBrackets } from '../../core/addresses.ts'
import { connectTo, describeEndpoint, failureWords } from './endpoint.ts'
import { probeCommand } from './command.ts'
import { probeHttp, probeHttps } from './http.ts'
import type { ProbeResult, ProbeTarget } from './probe.ts'

/**
 * Asks once. It never throws, and answers when the signal is given, or `timeoutMs` after it was called at the latest.
 *
 * A probe of a kind that asks nothing (`log`, `delay`) passes.
 */
export async function runProbe(probe: PlannedProbe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  if (signal.aborted) return { ok: false, reply: 'It was not asked: the probe was called off.' }
  try {
    return await ask(probe, target, signal)
  } catch (error) {
    // What is declared wrongly, a port above 65535 for one, is refused before anything is asked.
    return { ok: false, reply: `It cannot be asked: ${(error as Error).message}` }
  }
}

function ask(probe: PlannedProbe, target: ProbeTarget, signal: AbortSignal): ProbeResult | Promise<ProbeResult> {
  const { http, tcp, exec, timeoutMs } = probe
  if (http !== undefined) return askHttp(http, target, timeoutMs, signal)
  if (tcp !== undefined) return askTcp(tcp, target, timeoutMs, signal)
  if (exec !== undefined) return probeCommand(exec, target, timeoutMs, signal)
  return { ok: true }
}

function askHttp(
  pathOrUrl: string,
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): ProbeResult | Promise<ProbeResult> {
  if (pathOrUrl.startsWith('/')) {
    if (target.address === null)
      return { ok: false, reply: `GET ${pathOrUrl} cannot be asked: the process listens on no address.` }
    // A name that every Django project allows while it is developed; 400 is an answer as well.
    const request = { path: pathOrUrl, host: 'localhost', shown: `GET ${pathOrUrl}` }
    return probeHttp(clientAddress(target.address), request, timeoutMs, signal)
  }
  const url = URL.canParse(pathOrUrl) ? new URL(pathOrUrl) : undefined
  if (!url) return { ok: false, reply: `${pathOrUrl} is neither a path nor a URL.` }
  const shown = `GET ${url.origin}${url.pathname}${url.search}`
  if (url.protocol === 'https:') return probeHttps(url, shown, timeoutMs, signal)
  const endpoint: Address = { host: withoutBrackets(url.hostname), port: Number(url.port || 80) }
  const request = { path: `${url.pathname}${url.search}`, host: url.host, shown, login: loginOf(url) }
  return probeHttp(endpoint, request, timeoutMs, signal)
}

/** A name and a password that a URL brings, as a header takes them. */
const loginOf = ({ username, password }: URL): string | undefined =>
  username === ''
    ? undefined
    : Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')

function askTcp(tcp: string, target: ProbeTarget, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  const endpoint = clientAddress(probedAddress(tcp, target.listen))
  if ('port' in endpoint && endpoint.port === 0) throw new Error(`${tcp} has no port`)
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const shown = `connect to ${describeEndpoint(endpoint)}`
  const fail = (words: string): void => resolve({ ok: false, reply: `${shown} → ${words}` })
  const socket = connectTo(endpoint)
  const timer = setTimeout(() => fail(`no answer within ${printDuration(timeoutMs)}`), timeoutMs)
  const callOff = (): void => fail('called off')
  signal.addEventListener('abort', callOff, { once: true })
  socket.on('connect', () => resolve({ ok: true }))
  socket.on('error', (error) => fail(failureWords(error)))
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', callOff)
    socket.destroy()
  })
}
