import { isError, type Problem } from '../errors.ts'
import type { Env } from '../types.ts'
import type { Output } from './io.ts'

/** Select Graphic Rendition codes: on, off. node:util has them too, but opens standard error when it is imported. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
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

/** Every problem with its place, what is wrong, and the next thing to type. */
export function renderProblems(problems: readonly Problem[], paint: Paint): string {
  return problems.map((problem) => renderProblem(problem, paint)).join('\n')
}

function renderProblem({ id, place, message, hint, details }: Problem, paint: Paint): string {
  const label = paint('bold', paint(id.startsWith('E') ? 'red' : 'yellow', id))
  const lines = [`${label}  ${paint('bold', place)}`, ...indent(message)]
  if (details) lines.push(...indent(details).map((line) => paint('dim', line)))
  if (hint) lines.push(`      ${paint('cyan', '→')} ${hint}`)
  return `${lines.join('\n')}\n`
}

const indent = (text: string): string[] => text.split('\n').map((line) => `      ${line}`)

/** `2 errors, 1 warning`. */
export function countProblems(problems: readonly Problem[]): string {
  const errors = problems.filter(isError).length
  const warnings = problems.length - errors
  const parts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
  ]
  return parts.join(', ')
}

export const plural = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : nouns}`

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
const width = (text: string): number => text.replace(/\x1b\[\d+m/g, '').length
