/** Figures of process managers as a table for people, or as Markdown. */
import { type Paint, renderTable } from '../../src/cli/output/print.ts'
import { bareNode } from './contestants/bare-node.ts'
import { OURS, VARIANTS } from './contestants/prodserver.ts'
import type { Supervision } from './contests.ts'
import { bestOf, type Cell, type Row } from './table.ts'

export function renderSupervisionText(supervision: Supervision, paint: Paint, columns: number | undefined): string {
  const names = namesOf(supervision)
  const rows = supervision.rows.map((row) => cells(row, names))
  const title = paint('bold', 'supervising')
  return `${title}\n${renderTable(headerOf(names), rows, paint, columns)}\n${remarks(supervision).join('\n')}\n`
}

export function renderSupervisionMarkdown(supervision: Supervision): string {
  const names = namesOf(supervision)
  const header = headerOf(names)
  const lines = [header, header.map((_, index) => (index === 0 ? '---' : '---:'))]
  const rows = [...lines, ...supervision.rows.map((row) => cells(row, names))].map((row) => `| ${row.join(' | ')} |\n`)
  return `### Supervising, against other process managers\n\n${rows.join('')}\n${remarks(supervision).join('\n\n')}\n`
}

/** Ours first, whether it takes part or not; of the others those that have figures. */
const namesOf = ({ versions, rows }: Supervision): readonly string[] => [
  OURS,
  ...Object.keys(versions).filter((name) => name !== OURS && rows.some(({ cells }) => name in cells)),
]

const headerOf = ([ours = '', ...others]: readonly string[]): string[] => ['what', ours, 'ratio', ...others]

function cells(row: Row, [ours = '', ...others]: readonly string[]): string[] {
  const what = row.unit ? `${row.what}, ${row.unit}` : row.what
  return [what, show(row.cells[ours]), ratio(row), ...others.map((name) => show(row.cells[name]))]
}

/** Of ours to the best of the others, and who that is. */
function ratio(row: Row): string {
  const ours = row.cells[OURS]
  const best = bestOf(row, [...VARIANTS, bareNode.name])
  if (!best || !ours || 'absent' in ours || best.value === 0) return ''
  return `${(ours.value / best.value).toFixed(2)} ${best.name}`
}

function show(cell: Cell | undefined): string {
  if (!cell || 'absent' in cell) return ''
  const { value } = cell
  if (Number.isInteger(value)) return String(value)
  if (value < 0.1) return value.toFixed(3)
  if (value < 1) return value.toFixed(2)
  return value.toFixed(value < 10 ? 1 : 0)
}

function remarks({ versions, absent, rows, notes }: Supervision): string[] {
  const failed = rows.flatMap(({ what, cells }) =>
    Object.entries(cells).flatMap(([name, cell]) => ('absent' in cell ? [`${name}, ${what}: ${cell.absent}.`] : [])),
  )
  return [
    'ratio: ours / the best of the others. Figures are medians; of MB/s more is better, of all else less. An empty field: it cannot do that, or was not asked.',
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    ...Object.entries(absent).map(([name, reason]) => `${name} does not take part: ${reason}.`),
    ...notes,
    ...failed,
  ]
}
