import { printSize } from '../core/sizes.ts'
import { printDuration } from '../core/durations.ts'
import { toSettingsKey } from '../core/notation.ts'
import { guard, reveal, type Value } from '../core/secret.ts'
import type { Env } from '../core/types.ts'
import { isDictionary } from '../core/values.ts'
import type { Plan, PlannedProcess } from './plan.ts'
import { PLANNED_FIELDS } from './planned-keys.ts'

/** How one process differs between two plans. */
export interface ProcessDiff {
  /** Null: the environment that all of them are given. */
  readonly process: string | null
  readonly is: 'same' | 'changed' | 'added' | 'removed'
  readonly changes: readonly Change[]
}

/** One thing that differs; null where one side does not have it. Secrets are hidden. */
export interface Change {
  /** `ARGS`, or another key of a declaration. */
  readonly key: string
  /** Which of its options or variables; null for the whole of it. */
  readonly name: string | null
  readonly from: string | null
  readonly to: string | null
}

/** The processes in the order of the first plan, then those that only the second has. */
export function diffPlans(from: Plan, to: Plan): readonly ProcessDiff[] {
  const others = new Map(to.processes.map((planned) => [planned.name, planned]))
  const known = new Set(from.processes.map(({ name }) => name))
  return [
    ...from.processes.map((planned): ProcessDiff => {
      const other = others.get(planned.name)
      if (!other) return { process: planned.name, is: 'removed', changes: [] }
      const changes = diffProcesses(planned, other)
      return { process: planned.name, is: changes.length > 0 ? 'changed' : 'same', changes }
    }),
    ...to.processes
      .filter(({ name }) => !known.has(name))
      .map(({ name }): ProcessDiff => ({ process: name, is: 'added', changes: [] })),
  ]
}

/** How the environments differ that two plans are made with, in the variables named. */
export function diffEnvironments(from: Env, to: Env, names: readonly string[]): ProcessDiff {
  const valuesOf = (env: Env): Words =>
    new Map(names.flatMap((name) => (env[name] === undefined ? [] : [[name, [guard(name, env[name])]] as const])))
  const [before, after] = [valuesOf(from), valuesOf(to)]
  const changes = names.flatMap((name) => compareValues('ENV', name, before.get(name), after.get(name)))
  return { process: null, is: changes.length > 0 ? 'changed' : 'same', changes }
}

function diffProcesses(from: PlannedProcess, to: PlannedProcess): readonly Change[] {
  const whole = PLANNED_FIELDS.flatMap(({ key, field }) =>
    compareKey(toSettingsKey(key), field, from[field], to[field]),
  )
  return [...diffWords(from, to), ...diffVariables(from, to), ...whole]
}

/** Options by their name, with all the values that they are given; other words, such as the application, by themselves. */
function diffWords(from: PlannedProcess, to: PlannedProcess): readonly Change[] {
  const [before, after] = [optionsOf(from), optionsOf(to)]
  return namesOf(before, after).flatMap((name) => compareValues('ARGS', name, before.get(name), after.get(name)))
}

type Words = ReadonlyMap<string, readonly Value[]>

/** Groups the words of a command line by option; words that belong to no option have the key ''. */
function optionsOf({ argv }: PlannedProcess): Words {
  const words = new Map<string, Value[]>()
  let before = ''
  for (const word of argv.slice(1)) {
    const [name = ''] = reveal(word).split('=', 1)
    const key = keyOfWord(name, before)
    const group = words.get(key)
    if (group) group.push(word)
    else words.set(key, [word])
    before = key === name ? name : ''
  }
  return words
}

function keyOfWord(name: string, before: string): string {
  if (name.startsWith('-')) return name
  // The word after a one-letter option is its value.
  return /^-[A-Za-z]$/.test(before) ? before : ''
}

function diffVariables(from: PlannedProcess, to: PlannedProcess): readonly Change[] {
  const [before, after] = [variablesOf(from), variablesOf(to)]
  // The settings modules differ: that is the question.
  return namesOf(before, after)
    .filter((name) => name !== 'DJANGO_SETTINGS_MODULE')
    .flatMap((name) => compareValues('ENV', name, before.get(name), after.get(name)))
}

const variablesOf = ({ env }: PlannedProcess): Words =>
  new Map(Object.entries(env).map(([name, { value }]) => [name, [value ?? 'is removed']]))

const namesOf = (before: Words, after: Words): readonly string[] => [...new Set([...before.keys(), ...after.keys()])]

/** Two secrets differ by what they are, and both are hidden. */
function compareValues(
  key: string,
  name: string,
  from: readonly Value[] | undefined,
  to: readonly Value[] | undefined,
): readonly Change[] {
  if (from?.map(reveal).join('\0') === to?.map(reveal).join('\0')) return []
  return [{ key, name: name || null, from: shown(from), to: shown(to) }]
}

const shown = (values: readonly Value[] | undefined): string | null => values?.map(String).join(' ') ?? null

/** Compares dictionaries by member, and other values as a whole. */
function compareKey(key: string, field: string, from: unknown, to: unknown): readonly Change[] {
  if (!isDictionary(from) && !isDictionary(to)) return compareTexts(key, null, text(from, field), text(to, field))
  const [before, after] = [from, to].map((value) => (isDictionary(value) ? value : {}))
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return names.flatMap((name) => {
    const part = toSettingsKey(name.replace(/(Ms|Bytes)$/, '')).toLowerCase()
    return compareTexts(key, part, text(before?.[name], name), text(after?.[name], name))
  })
}

const compareTexts = (key: string, name: string | null, from: string | null, to: string | null): readonly Change[] =>
  from === to ? [] : [{ key, name, from, to }]

/** Prints a value; the name of its field says whether it is a duration or a size. */
function text(value: unknown, field: string): string | null {
  if (value === null || value === undefined) return null
  if (field.endsWith('Ms')) return printDuration(Number(value))
  if (field.endsWith('Bytes')) return printSize(Number(value))
  return typeof value === 'string' ? value : JSON.stringify(value)
}
