import type { LaunchedKey, PlannedKey } from '../config/key.ts'
import { toSettingsKey } from '../core/notation.ts'
import type { Shape } from '../core/shape.ts'
import { PLANNED_KEYS } from '../generated/keys.ts'

/** The values that a plan holds for the keys of a declaration, with types and loops that come from the table of keys. */

type Table = typeof PLANNED_KEYS

type FieldOf<Key extends keyof Table> = Table[Key] extends { readonly field: infer Field extends string } ? Field : Key

type ValueOf<Key extends keyof Table> = Table[Key] extends PlannedKey<infer _, infer Planned> ? Planned : never

/** The value of each key, by its field in the plan. */
export type PlannedValues = { readonly [Key in keyof Table as FieldOf<Key>]: ValueOf<Key> }

/** The keys that the shim and `run` apply when an instance starts. */
type Launched = { [Key in keyof Table]: Table[Key] extends LaunchedKey<infer _, infer __> ? Key : never }[keyof Table]

/** The values that go to the shim with the start of an instance. */
export type LaunchValues = { readonly [Key in Launched]: ValueOf<Key> }

export interface PlannedField {
  readonly key: keyof Table
  readonly field: keyof PlannedValues
  readonly definition: PlannedKey
}

/** All planned keys, in their order. */
export const PLANNED_FIELDS: readonly PlannedField[] = Object.entries(
  PLANNED_KEYS as Readonly<Record<string, PlannedKey>>,
).map(([key, definition]) => ({ key, field: definition.field ?? key, definition }) as PlannedField)

/** Makes a value for every field. */
export const mapFields = <T>(make: (field: PlannedField) => T): { readonly [Field in keyof PlannedValues]: T } =>
  Object.fromEntries(PLANNED_FIELDS.map((planned) => [planned.field, make(planned)])) as never

const LAUNCHED = PLANNED_FIELDS.flatMap(({ key, definition }) =>
  definition.isLaunched ? [{ key: key as Launched, definition: definition as LaunchedKey }] : [],
)

/** Returns the values that go to the shim. */
export const launchValues = (values: LaunchValues): LaunchValues =>
  Object.fromEntries(LAUNCHED.map(({ key }) => [key, values[key]])) as LaunchValues

/** Explains why the shim could not apply a value, by the settings key that it reports; null if it reports another thing. */
export function explainLaunchFailure(reported: string, values: LaunchValues): string | null {
  const launched = LAUNCHED.find(({ key }) => toSettingsKey(key) === reported)
  if (launched === undefined) return null
  const { key, definition } = launched
  return definition.explainFailure?.(values[key]) ?? `its ${reported} cannot be set`
}

/** Checks the planned values that a client sends. */
export const plannedShapes = mapFields(({ definition }) => definition.shape) as unknown as {
  readonly [Field in keyof PlannedValues]: Shape<PlannedValues[Field]>
}
