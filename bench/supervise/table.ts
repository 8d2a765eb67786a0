/** Rows of figures, one for each entrant. */
import type { Samples } from './field.ts'

export interface Row {
  readonly what: string
  readonly unit: string
  /** More is better, as of a throughput; otherwise less is. */
  readonly more?: boolean
  /** By the entrant's name. */
  readonly cells: Readonly<Record<string, Cell>>
}

export type Cell =
  | { readonly value: number; readonly least: number; readonly most: number; readonly rounds: number }
  | { readonly absent: string }

/** A row of medians. */
export function makeRow<T>(
  { what, unit, more = false }: Omit<Row, 'cells'>,
  samples: Samples<T>,
  figure: (sample: T) => number | undefined,
): Row {
  const cells = [...samples].map(([name, taken]): [string, Cell] => [
    name,
    typeof taken === 'string' ? { absent: taken } : summarise(taken.flatMap((sample) => figure(sample) ?? [])),
  ])
  return { what, unit, more, cells: Object.fromEntries(cells) }
}

function summarise(values: readonly number[]): Cell {
  if (values.length === 0) return { absent: 'not measured' }
  return { value: median(values), least: Math.min(...values), most: Math.max(...values), rounds: values.length }
}

interface Best {
  readonly name: string
  readonly value: number
}

/** The best of a row, without some. */
export function bestOf({ cells, more }: Row, without: readonly string[]): Best | undefined {
  const values = Object.entries(cells).flatMap(([name, cell]) =>
    'absent' in cell || without.includes(name) ? [] : [{ name, value: cell.value }],
  )
  return values.sort((a, b) => (more ? b.value - a.value : a.value - b.value))[0]
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
