/** Two contestants, measured in turns: what slows the machine down for a while slows both. */
import type { Sample } from './measure.ts'

export interface Contest {
  readonly group: string
  readonly what: string
  /** The ratio to stay at or below; without one it is for information. */
  readonly goal?: number
  readonly ours: () => Promise<Sample>
  readonly theirs: () => Promise<Sample>
}

export interface Result {
  readonly group: string
  readonly what: string
  readonly goal: number | null
  readonly pairs: number
  /** Medians, in milliseconds. */
  readonly ours: number
  readonly theirs: number
  /** Of the ratios ours / theirs of each pair. */
  readonly ratio: { readonly median: number; readonly least: number; readonly most: number }
  /** Of all processor time; null where the system does not tell. */
  readonly cpuRatio: number | null
}

/** A contest that has taken this long ends with the pairs it has. */
const BUDGET_MS = 120_000
const LEAST_PAIRS = 5

export async function compare(contest: Contest, rounds: number): Promise<Result> {
  await contest.theirs()
  await contest.ours()
  const pairs: { ours: Sample; theirs: Sample }[] = []
  const deadline = performance.now() + BUDGET_MS
  while (pairs.length < rounds && (pairs.length < LEAST_PAIRS || performance.now() < deadline)) {
    // Either goes first as often: neither always finds the machine as the other left it.
    if (pairs.length % 2 === 0) pairs.push({ ours: await contest.ours(), theirs: await contest.theirs() })
    else pairs.push({ theirs: await contest.theirs(), ours: await contest.ours() })
  }
  const ratios = pairs.map(({ ours, theirs }) => ours.wallMs / theirs.wallMs)
  return {
    group: contest.group,
    what: contest.what,
    goal: contest.goal ?? null,
    pairs: pairs.length,
    ours: median(pairs.map(({ ours }) => ours.wallMs)),
    theirs: median(pairs.map(({ theirs }) => theirs.wallMs)),
    ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
    cpuRatio: cpuRatio(pairs),
  }
}

function cpuRatio(pairs: readonly { ours: Sample; theirs: Sample }[]): number | null {
  let [ours, theirs] = [0, 0]
  for (const pair of pairs) {
    if (pair.ours.cpuMs === undefined || pair.theirs.cpuMs === undefined) return null
    ours += pair.ours.cpuMs
    theirs += pair.theirs.cpuMs
  }
  return theirs > 0 ? ours / theirs : null
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
