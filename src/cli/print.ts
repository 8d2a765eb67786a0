import { stripVTControlCharacters, styleText } from 'node:util'
import { isError, type Problem } from '../errors.ts'
import type { Env } from '../types.ts'
import type { Output } from './io.ts'

/** Colours text, or leaves it as it is. */
export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

export function createPaint(output: Output, env: Env, allowed: boolean): Paint {
  const colour = allowed && output.isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text)
}

/** Every problem with its place, what is wrong, and the next thing to type. */
export function renderProblems(problems: readonly Problem[], paint: Paint): string {
  return problems.map((problem) => renderProblem(problem, paint)).join('\n')
}

function renderProblem({ id, place, message, hint, details }: Problem, paint: Paint): string {
  const label = paint(id.startsWith('E') ? ['red', 'bold'] : ['yellow', 'bold'], id)
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

const width = (text: string): number => stripVTControlCharacters(text).length
