import type { LogRow } from '../../control/protocol.ts'
import type { LogLine } from '../../logs/lines.ts'
import { displayWidth, padEnd, type Paint, type Style } from './print.ts'
import { renderClock, renderStamp } from './render-time.ts'

export interface LogLook {
  readonly prefix: 'short' | 'long' | 'none'
  readonly paint: Paint
  readonly utc: boolean
  /** How wide the longest name is. */
  readonly nameWidth: number
  /** A terminal would act on control characters; a file or a pipe takes the bytes. */
  readonly isTerminal: boolean
  /** Escape sequences for colours may pass. */
  readonly isColoured: boolean
}

/** `12:01:44.120 worker.2 │ `. */
export function renderPrefix(
  { timeMs, instance, run }: Omit<LogLine, 'line' | 'whole'>,
  { prefix, paint, utc, nameWidth }: LogLook,
): string {
  if (prefix === 'none') return ''
  const name = paint(nameStyle(instance), padEnd(instance, nameWidth))
  const time = prefix === 'long' ? renderStamp(timeMs, utc) : renderClock(timeMs, utc)
  return `${paint('dim', time)} ${name} ${prefix === 'long' ? `${run} ` : ''}${paint('dim', '│')} `
}

/** The line as it was printed, or as a terminal may see it. */
export const renderText = ({ line }: LogLine, { isTerminal, isColoured }: LogLook): Buffer | string =>
  isTerminal ? printable(line.toString(), isColoured) : line

const NAME_STYLES: readonly Style[] = ['cyan', 'yellow', 'green', 'magenta', 'blue']

/** A process has the same colour each time, whatever else there is. */
export function nameStyle(instance: string): Style {
  const process = instance.replace(/\.\d+$/, '')
  let hash = 7
  for (const character of process) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return NAME_STYLES[hash % NAME_STYLES.length] as Style
}

// oxlint-disable no-control-regex -- control characters are what is looked for
const COLOURS = /\x1b\[[\d;:]*m/
const ESCAPES = /\x1b(?:\[[\d;:?<=>!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * Text that does nothing to a terminal but be read: of escape sequences only those for colours are left, if wanted,
 * and other control characters are shown as pictures of themselves.
 */
export function printable(text: string, withColours: boolean): string {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  let hasColour = false
  const parts = line.split(ESCAPES)
  const escapes = line.match(ESCAPES) ?? []
  const result = parts
    .map((part, index) => {
      const escape = escapes[index - 1]
      const isColour = withColours && escape !== undefined && COLOURS.test(escape)
      hasColour ||= isColour
      return `${isColour ? escape : ''}${part.replace(CONTROLS, picture)}`
    })
    .join('')
  return hasColour ? `${result}\x1b[0m` : result
}
// oxlint-enable no-control-regex

function picture(character: string): string {
  const code = character.codePointAt(0) as number
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  return code === 0x7f ? '␡' : '\ufffd'
}

/** A line as JSON; bytes that are no UTF-8 are replaced there. */
export function logLineJson({ timeMs, instance, run, line }: LogLine): string {
  const process = instance.replace(/\.\d+$/, '')
  const time = new Date(timeMs).toISOString()
  const row: LogRow = { time, process, instance, invocation: run, line: line.toString() }
  return `${JSON.stringify(row)}\n`
}

export const nameWidthOf = (names: readonly string[]): number => Math.max(0, ...names.map(displayWidth))
