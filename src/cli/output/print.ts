import { plural } from '../../core/plural.ts'
import { isError, type Problem } from '../../core/errors.ts'
import type { Env } from '../../core/types.ts'
import type { Output } from '../io.ts'

/** Select Graphic Rendition codes: on, off. node:util has them too, but opens standard error when it is imported. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  reverse: [7, 27],
} as const

export type Style = keyof typeof STYLES

/** Colours text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

export function createPaint(output: Output, env: Env, allowed: boolean): Paint {
  const colour = allowed && output.isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  if (!colour) return (_, text) => text
  return (style, text) => {
    const [on, off] = STYLES[style]
    return `\x1b[${on}m${text}\x1b[${off}m`
  }
}

/** Every problem with its place, what is wrong, and the next thing to type. Files below `cwd` are named from there. */
export function renderProblems(problems: readonly Problem[], paint: Paint, cwd = '/'): string {
  return problems.map((problem) => renderProblem(problem, paint, cwd)).join('\n')
}

/** Prints warnings above the output of a command. */
export function printWarnings(
  warnings: readonly Problem[],
  { io, errorPaint }: { readonly io: { readonly stderr: Output }; readonly errorPaint: Paint },
): void {
  if (warnings.length > 0) io.stderr.write(`${renderProblems(warnings, errorPaint)}\n`)
}

function renderProblem({ id, place, at, message, hint, details }: Problem, paint: Paint, cwd: string): string {
  const label = paint('bold', paint(id.startsWith('E') ? 'red' : 'yellow', id))
  const where = at === undefined ? '' : `  ${paint('dim', at.startsWith(`${cwd}/`) ? at.slice(cwd.length + 1) : at)}`
  const lines = [`${label}  ${paint('bold', place)}${where}`, ...indent(message)]
  if (details) lines.push(...indent(details).map((line) => paint('dim', line)))
  if (hint) lines.push(`      ${paint('cyan', '→')} ${hint}`)
  return `${lines.join('\n')}\n`
}

const indent = (text: string): string[] => text.split('\n').map((line) => `      ${line}`)

/** `2 errors, 1 warning`. */
export function countProblems(problems: readonly Problem[]): string {
  const errors = problems.filter(isError).length
  const warnings = problems.length - errors
  const parts: string[] = []
  if (errors > 0) parts.push(plural(errors, 'error'))
  if (warnings > 0) parts.push(plural(warnings, 'warning'))
  return parts.join(', ')
}

/** An aligned table. On a narrow terminal columns are dropped from the right, never wrapped; the first stays. */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  columns?: number,
): string {
  const widths = header.map((title, index) => Math.max(...[title, ...rows.map((row) => row[index] ?? '')].map(width)))
  const fits = (count: number): boolean =>
    columns === undefined || widths.slice(0, count).reduce((sum, width) => sum + width + 2, -2) <= columns
  let shown = header.length
  while (shown > 1 && !fits(shown)) shown--
  const line = (cells: readonly string[]): string =>
    cells
      .slice(0, shown)
      .map((cell, index) =>
        index === shown - 1 ? cell : cell + ' '.repeat((widths[index] as number) - width(cell) + 2),
      )
      .join('')
      .trimEnd()
  return [paint('bold', line(header)), ...rows.map(line)].map((text) => `${text}\n`).join('')
}

// oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
const width = (text: string): number => displayWidth(text.replace(/\x1b\[\d+m/g, ''))

/** Blocks of Unicode whose characters take two columns of a terminal. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u
/** Characters that are drawn onto the one before. */
const COMBINING = /\p{Mn}|\p{Me}|[\u200b-\u200f]/u
// Nearly all text is of these, and needs no look at each character.
const NARROW = /^[\u0020-\u02ff]*$/

/** How many columns of a terminal a text takes. Without escape sequences. */
export function displayWidth(text: string): number {
  if (NARROW.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += characterWidth(character)
  return columns
}

function characterWidth(character: string): number {
  if (COMBINING.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** A text cut to a number of columns, with `…` where something is missing. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    used += displayWidth(character)
    if (used > columns - 1) break
    kept += character
  }
  return columns > 0 ? `${kept}…` : ''
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - displayWidth(text)))

export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - displayWidth(text))) + text
