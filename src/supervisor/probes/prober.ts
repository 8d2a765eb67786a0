import type { PlannedProbe } from '../../plan/plan.ts'
import type { ProbeResult, ProbeTarget } from './probe.ts'
import { runProbe } from './probes.ts'

interface ProberOptions {
  readonly purpose: 'ready' | 'alive'
  readonly probe: PlannedProbe
  readonly target: ProbeTarget
  /**
   * Of `ready`, once: when it passed. Of `alive`: when it failed `failures` times in a row, with the last reply, and
   * when it passes again after that.
   */
  readonly report: (result: ProbeResult) => void
  /** Asks once. */
  readonly run?: typeof runProbe
  /** Calls back after some time, and returns what calls that off. */
  readonly after?: After
}

export type After = (ms: number, act: () => void) => () => void

/** Asks again and again, one question at a time, until it is stopped. It owns its timers. */
export interface Prober {
  /** A line that the program wrote, for a probe of kind `log`. */
  readonly feed: (line: string) => void
  /** What the last question that failed found; null before there was one. */
  readonly lastReply: () => string | null
  /** Nothing is reported afterwards, and what is under way is called off. Harmless twice. */
  readonly stop: () => void
}

/** A server is often ready within a tenth of a second, and then the first request waits for nothing but this. */
const FIRST_MS = 25
const GROWTH = 1.5

/**
 * Begins to probe. One for `ready` begins at once and asks quickly at first, then every `intervalMs`; it stops itself
 * once it passed. One for `alive` asks every `intervalMs`.
 */
export function createProber(options: ProberOptions): Prober {
  const { purpose, probe, target, report, run = runProbe, after = afterTimeout } = options
  const life = new AbortController()
  let cancel: (() => void) | undefined
  let reply: string | null = null
  let failed = 0
  let delayMs = purpose === 'ready' ? Math.min(FIRST_MS, probe.intervalMs) : probe.intervalMs

  const stop = (): void => {
    life.abort()
    cancel?.()
  }
  const pass = (): void => {
    if (life.signal.aborted) return
    stop()
    report({ ok: true })
  }
  const next = (): void => {
    cancel = after(delayMs, () => {
      // A probe answers with words and never throws.
      void run(probe, target, life.signal).then(take)
    })
    if (purpose === 'ready') delayMs = Math.min(delayMs * GROWTH, probe.intervalMs)
  }
  const take = (result: ProbeResult): void => {
    if (life.signal.aborted) return
    if (!result.ok) reply = result.reply
    if (purpose === 'ready' && result.ok) return pass()
    const wasFailing = failed >= probe.failures
    failed = result.ok ? 0 : failed + 1
    next()
    const isFailing = failed >= probe.failures
    if (purpose === 'alive' && isFailing !== wasFailing) report(result)
  }

  const matches = probe.log === undefined ? () => false : lineMatcher(probe.log)
  if (probe.delayMs !== undefined) {
    if (purpose === 'ready') cancel = after(probe.delayMs, pass)
  } else if (asks(probe)) next()

  return {
    feed: (line) => {
      if (purpose === 'ready' && !life.signal.aborted && matches(line)) pass()
    },
    lastReply: () => reply,
    stop,
  }
}

/** The other kinds wait to be told. */
const asks = ({ http, tcp, exec }: PlannedProbe): boolean => (http ?? tcp ?? exec) !== undefined

/** A regular expression, or plain text where it is none. Colours of a terminal are not looked at. */
function lineMatcher(pattern: string): (line: string) => boolean {
  let expression: RegExp | undefined
  try {
    expression = new RegExp(pattern)
  } catch {
    // Meant as it stands: "Listening on [::]:8000 (" is no expression.
  }
  return (line) => (expression ? expression.test(withoutColours(line)) : withoutColours(line).includes(pattern))
}

// oxlint-disable-next-line no-control-regex -- These are what a terminal takes as colours.
const withoutColours = (line: string): string => line.replace(/\x1b\[[\d;]*[A-Za-z]/g, '')

const afterTimeout: After = (ms, act) => {
  const timer = setTimeout(act, ms)
  return () => clearTimeout(timer)
}
