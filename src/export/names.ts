import type { Problem } from '../core/errors.ts'
import type { ExportedProcess } from './input.ts'

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
export function checkNames(processes: readonly ExportedProcess[], rule: NameRule): readonly Problem[] {
  const names = processes.map(({ name }) => targetName(name, rule))
  return processes.flatMap(({ name, place }, index): readonly Problem[] => {
    const first = processes[names.indexOf(names[index] ?? '')]
    const message = nameProblem(names[index] ?? '', rule, first?.name === name ? undefined : first?.name)
    if (message === undefined) return []
    return [{ id: 'E802', place, process: name, message, hint: 'Give it another name' }]
  })
}

function nameProblem(name: string, { title, longest }: NameRule, taken: string | undefined): string | undefined {
  if (name === '') return `${title} allows no character of this name.`
  if (name.length > longest)
    return `In ${title} a name has at most ${longest} characters, and this one has ${name.length}.`
  return taken === undefined
    ? undefined
    : `In ${title} its name is ${name}, and so is that of ${JSON.stringify(taken)}.`
}

/** Converts a name to one that the target allows: without accents, and with hyphens for other characters. */
export function targetName(name: string, { allowed, lowerCase }: Pick<NameRule, 'allowed' | 'lowerCase'>): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '')
  return (lowerCase ? plain.toLowerCase() : plain)
    .replace(new RegExp(`[^${allowed}]+`, 'g'), '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
}
