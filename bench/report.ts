/** The results as a table for people, as Markdown, or as JSON. */
import { createPaint, type Paint, renderTable } from '../src/cli/output/print.ts'
import type { Result } from './compare.ts'
import type { Supervision } from './supervise/contests.ts'
import { renderSupervisionMarkdown, renderSupervisionText } from './supervise/report.ts'

interface Report {
  readonly machine: Readonly<Record<string, string>>
  readonly results: readonly Result[]
  readonly supervision?: Supervision | undefined
}

const HEADER = ['what', 'ours', 'theirs', 'ratio', 'CPU', 'goal', 'pairs']
const LEGEND =
  'ratio: ours / theirs, the median of the pairs [least–most]. CPU: the same of all processor time. Times are medians.'

export function renderText({ machine, results, supervision }: Report): string {
  const columns = process.stdout.columns as number | undefined
  const paint = createPaint({ write: () => {}, isTerminal: process.stdout.isTTY, columns }, process.env, true)
  const blocks = groups(results).map(([group, rows]) => {
    const title = paint('bold', group.replaceAll('`', ''))
    return `${title}\n${renderTable(
      HEADER,
      rows.map((row) => cells(row, paint)),
      paint,
      columns,
    )}`
  })
  const facts = Object.entries(machine).map(([name, value]) => `${name.padEnd(11)} ${value}\n`)
  const compared = results.length > 0 ? `${blocks.join('\n')}\n${LEGEND}\n` : ''
  const supervised = supervision ? renderSupervisionText(supervision, paint, columns) : ''
  return `\n${[compared, supervised].filter(Boolean).join('\n')}\n${facts.join('')}`
}

export function renderMarkdown({ machine, results, supervision }: Report): string {
  const blocks = groups(results).map(([group, rows]) => {
    const head = row(HEADER) + row(HEADER.map((_, index) => (index === 0 ? '---' : '---:')))
    const body = rows.map((result) => row([result.what, ...cells(result, plain).slice(1)]))
    return `### ${group.charAt(0).toUpperCase()}${group.slice(1)}\n\n${head}${body.join('')}`
  })
  const facts = Object.entries(machine).map(([name, value]) => row([name, value]))
  const compared = results.length > 0 ? `${blocks.join('\n')}\n${LEGEND}\n` : ''
  const supervised = supervision ? renderSupervisionMarkdown(supervision) : ''
  return `${[compared, supervised].filter(Boolean).join('\n')}\n| measured on | |\n| --- | --- |\n${facts.join('')}`
}

const plain: Paint = (_, text) => text

const row = (values: readonly string[]): string => `| ${values.join(' | ')} |\n`

export const renderJson = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`

const groups = (results: readonly Result[]): [string, readonly Result[]][] => [
  ...Map.groupBy(results, ({ group }) => group),
]

function cells(result: Result, paint: Paint): string[] {
  const { what, ours, theirs, ratio, cpuRatio, goal, pairs } = result
  const met = goal === null || ratio.median <= goal
  return [
    what.replaceAll('`', ''),
    `${ours.toFixed(0)} ms`,
    `${theirs.toFixed(0)} ms`,
    `${ratio.median.toFixed(2)} [${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)}]`,
    cpuRatio === null ? '' : cpuRatio.toFixed(2),
    goal === null ? '' : paint(met ? 'green' : 'yellow', `${goal.toFixed(2)} ${met ? 'met' : 'missed'}`),
    String(pairs),
  ]
}
