/** Everybody who takes part, and rounds in which each has its turn: what slows the machine down for a while slows all. */
import { say } from '../machine.ts'
import { type Contestant, type Installed, Unavailable } from './contestant.ts'

export interface Entrant extends Installed {
  readonly name: string
}

export interface Field {
  readonly entrants: readonly Entrant[]
  /** Names of the others, and why they are not here. */
  readonly absent: Readonly<Record<string, string>>
}

export function gather(contestants: readonly Contestant[]): Field {
  const entrants: Entrant[] = []
  const absent: Record<string, string> = {}
  for (const { name, install } of contestants) {
    try {
      entrants.push({ name, ...install() })
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      absent[name] = error.message
    }
  }
  return { entrants, absent }
}

/** What an entrant did in each round, or why it could not. */
export type Samples<T> = ReadonlyMap<string, readonly T[] | string>

interface Turns {
  readonly rounds: number
  /** An entrant that has taken this long has no further turn. */
  readonly budgetMs: number
}

export async function inTurns<T>(
  entrants: readonly Entrant[],
  { rounds, budgetMs }: Turns,
  measure: (entrant: Entrant) => Promise<T>,
): Promise<Samples<T>> {
  const samples = new Map<string, T[]>(entrants.map(({ name }) => [name, []]))
  const failures = new Map<string, string>()
  const spent = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    for (const entrant of entrants) {
      const { name } = entrant
      if (failures.has(name) || (spent.get(name) ?? 0) > budgetMs) continue
      const startedAt = performance.now()
      try {
        samples.get(name)?.push(await measure(entrant))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        say(`${name}: ${reason}`)
        failures.set(name, reason.split('\n')[0] ?? '')
      }
      spent.set(name, (spent.get(name) ?? 0) + performance.now() - startedAt)
    }
  }
  return new Map(entrants.map(({ name }) => [name, failures.get(name) ?? samples.get(name) ?? []]))
}
