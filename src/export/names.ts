import type { Problem } from '../core/errors.ts'
import type { ExportedProcess } from './input.ts'

/** What a target allows in the name of a thing. */
export interface NameRule {
  /** The target, as its makers write it. */
  readonly title: string
  /** Characters that stay, as a part of a character class. */
  readonly allowed: string
  readonly lowerCase: boolean
  readonly longest: number
}

interface Names {
  readonly of: (exported: Pick<ExportedProcess, 'name'>) => string
  readonly problems: readonly Problem[]
}

/** The name of each process as the target can have it. Where two would be one, or nothing is left, it is refused. */
export function targetNames(processes: readonly ExportedProcess[], rule: NameRule): Names {
  const names = new Map(processes.map(({ name }) => [name, targetName(name, rule)]))
  const problems = processes.flatMap(({ name, place }, index): Problem[] => {
    const own = names.get(name) ?? ''
    const first = processes.slice(0, index).find((other) => names.get(other.name) === own)
    const message =
      own === ''
        ? `${rule.title} allows no character of this name.`
        : own.length > rule.longest
          ? `In ${rule.title} a name has at most ${rule.longest} characters, and this one has ${own.length}.`
          : first && `In ${rule.title} its name is ${own}, and so is that of ${JSON.stringify(first.name)}.`
    if (message === undefined) return []
    return [{ id: 'E802', place, process: name, message, hint: 'Give it another name' }]
  })
  return { of: ({ name }) => names.get(name) ?? '', problems }
}

/** The name with what is not allowed in it replaced: accents left out, a hyphen for all else. */
export function targetName(name: string, { allowed, lowerCase }: Pick<NameRule, 'allowed' | 'lowerCase'>): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '')
  return (lowerCase ? plain.toLowerCase() : plain)
    .replace(new RegExp(`[^${allowed}]+`, 'g'), '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
}
