import * as v from 'valibot'
import { dictionary, PROCESS_NAME, word } from '../../core/shape.ts'
import type { Json } from '../../core/types.ts'
import { isDictionary } from '../../core/values.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey, dictionaryOr, oneOf, text } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    dependsOn: true
  }
}

const CONDITIONS = ['started', 'ready', 'completed'] as const

/** Conditions by the name of the process that has to reach them. */
export type PlannedDependencies = Readonly<Record<string, (typeof CONDITIONS)[number]>>

const namesOrConditions = () =>
  dictionaryOr(
    v.record(text, oneOf(CONDITIONS)),
    v.union(
      [v.string(), v.array(text)],
      'a name, a list of names, or a dictionary of name to "started", "ready" or "completed"',
    ),
  )

/** Gives every process of a short form the condition `ready`. */
function expand(value: Json): PlannedDependencies | undefined {
  const names = typeof value === 'string' ? [value] : value
  const areNames = Array.isArray(names) && names.every((name) => typeof name === 'string')
  return areNames ? Object.fromEntries(names.map((name) => [name, 'ready' as const])) : undefined
}

export const declared = () =>
  declareKey({
    order: 90,
    schema: v.pipe(
      namesOrConditions(),
      v.transform((value) => (isDictionary(value) ? value : (expand(value) ?? {}))),
    ),
    description: 'Names of processes that must be ready first, or name to condition: `started`, `ready`, `completed`.',
    example: { redis: 'started' },
    inner: 'any',
    expand,
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedDependencies> = {
  label: 'depends on',
  show: (dependencies) =>
    Object.entries(dependencies)
      .map(([name, condition]) => `${name} is ${condition}`)
      .join(', ') || null,
  plan: (dependencies = {}) => dependencies,
  shape: dictionary(PROCESS_NAME, word(CONDITIONS)),
}
