import type { Problem } from '../core/errors.ts'
import type { ExportedProcess } from './input.ts'
import { refuse } from './problems.ts'

/** The names that a target allows. */
export interface NameRule {
  /** Name of the target as its makers write it. */
  readonly title: string
  /** Allowed characters, as a part of a character class. */
  readonly allowed: string
  readonly lowerCase: boolean
  readonly longest: number
}

/** Refuses names that the target cannot have, and names that are the same in the target. */
export function* checkNames(processes: readonly ExportedProcess[], rule: NameRule): Generator<Problem> {
  const taken = new Map<string, string>()
  for (const exported of processes) {
    const name = targetName(exported.name, rule)
    const message = nameProblem(name, rule, taken.get(name))
    if (message !== undefined) yield refuse(exported, 'name', message, 'Rename the process')
    else taken.set(name, exported.name)
  }
}

function nameProblem(name: string, { title, longest }: NameRule, other: string | undefined): string | undefined {
  if (name === '') return `${title} allows no character of this name.`
  if (name.length > longest) return `${title} allows names of ${longest} characters, and this one has ${name.length}.`
  return other && `In ${title} this name becomes ${name}, and so does ${JSON.stringify(other)}.`
}

/** Converts a name to one that the target allows: without accents, and with hyphens for other characters. */
export function targetName(name: string, { allowed, lowerCase }: Pick<NameRule, 'allowed' | 'lowerCase'>): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '')
  return (lowerCase ? plain.toLowerCase() : plain)
    .replace(new RegExp(`[^${allowed}]+`, 'g'), '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
}
