import type { Backend } from '../backends/backend.ts'
import type { Declaration } from '../config/declarations.ts'
import { alternativesOf, INNER_KEYS, PROCESS_KEYS } from '../config/schema.ts'
import type { ProcessKey } from '../generated/keys.ts'
import { PLANNED_FIELDS, type PlannedValues } from './planned-keys.ts'
import { SHOWN_KEYS } from './shown-keys.ts'

/** Nobody chose the value. */
export const DEFAULT = 'default'

/**
 * Returns where each value of a process comes from, by its key; of a dictionary by its inner keys, as in `stop.timeout`.
 * A location in the declaration or of an override, `the backend NAME`, or `default`.
 */
export function originsOf(
  declaration: Declaration,
  backend: Backend,
  planned: PlannedValues,
): Readonly<Record<string, string>> {
  const shown = new Set(SHOWN_KEYS.map(({ key }) => key))
  const keys = PROCESS_KEYS.filter((key) => shown.has(key) || declaration.writtenAt(key) !== undefined)
  return Object.fromEntries(keys.flatMap((key) => originsWithin({ key, declaration, backend, planned })))
}

interface OriginInput {
  readonly key: ProcessKey
  readonly declaration: Declaration
  readonly backend: Backend
  readonly planned: PlannedValues
}

type Origin = readonly [path: string, origin: string]

/** Returns the origins of the parts of a key, or of the whole of a key that has no parts. */
function originsWithin(input: OriginInput): readonly Origin[] {
  const { key, declaration, backend } = input
  const given = givenBy(key, backend)
  const written = declaration.writtenAt(key)
  const parts = partsOf(input, given === true ? [] : given)
  if (parts.length > 0) return parts
  return [[key, written ?? (given === true ? `the backend ${backend.name}` : DEFAULT)]]
}

function partsOf({ key, declaration, backend, planned }: OriginInput, given: readonly string[]): readonly Origin[] {
  const field = PLANNED_FIELDS.find((one) => one.key === key)?.field
  const isNothing = field === undefined || planned[field] === null
  if (isNothing && declaration.writtenAt(key) === undefined) return []
  const alternatives = alternativesOf(key)
  // A declared value that has alternatives replaces the whole value of the backend.
  const isReplaced = alternatives.length > 0 && declaration.writtenAt(key) !== undefined
  const fromBackend = isReplaced ? [] : given
  return (INNER_KEYS[key] ?? []).flatMap((part): readonly Origin[] => {
    const written = declaration.writtenAt(key, part)
    const origin = written ?? (fromBackend.includes(part) ? `the backend ${backend.name}` : DEFAULT)
    return origin === DEFAULT && alternatives.includes(part) ? [] : [[`${key}.${part}`, origin]]
  })
}

/** Returns whether the backend gives the value of a key, or the names of the parts that it gives. */
function givenBy(key: ProcessKey, backend: Backend): true | readonly string[] {
  const given = PLANNED_FIELDS.find((planned) => planned.key === key)?.definition.fromBackend?.(backend)
  return given === true || Array.isArray(given) ? given : []
}

/**
 * Where a key comes from as a whole: the places of all that was written of it, else the backend, else the default.
 *
 * @param whole - the place of the key, which stands for several parts that are written there.
 */
export function originsOfKey(
  origins: Readonly<Record<string, string>>,
  key: string,
  whole: string | undefined,
): readonly string[] {
  const all = Object.entries(origins)
    .filter(([name]) => name === key || name.startsWith(`${key}.`))
    .map(([, origin]) => origin)
  const written = all.filter(isWritten)
  if (written.length === 0) return [all.find((origin) => origin !== DEFAULT) ?? DEFAULT]
  const isWithin = (origin: string): boolean =>
    whole !== undefined && origin.startsWith(whole) && /^[.[]/.test(origin.slice(whole.length))
  const areSeveral = written.filter(isWithin).length > 1
  return [...new Set(written.map((origin) => (areSeveral && isWithin(origin) ? (whole as string) : origin)))]
}

/** Whether somebody chose the value: it is neither the default nor what the backend does by itself. */
export const isWritten = (origin: string): boolean => origin !== DEFAULT && !origin.startsWith('the backend ')
