import type { PartKey } from '../config/key.ts'
import { DECLARED_KEYS, PART_KEYS, type ProcessKey } from '../generated/keys.ts'
import type { PlannedProcess } from './plan.ts'
import { PLANNED_FIELDS, type PlannedField, type PlannedValues } from './planned-keys.ts'

/** A key as `show` prints it. */
interface ShownKey {
  readonly key: ProcessKey
  readonly label: string
  readonly isAlwaysShown: boolean
  /** Prints the planned value; null if there is nothing to print. */
  readonly show: (process: PlannedProcess) => string | null
}

/** The keys that the plan holds, in the order of the reference. The others are part of a command line or environment. */
export const SHOWN_KEYS: readonly ShownKey[] = (Object.keys(DECLARED_KEYS) as readonly ProcessKey[]).flatMap((key) => [
  ...PLANNED_FIELDS.filter((planned) => planned.key === key).map(shownKey),
  ...shownParts(key),
])

function shownKey({ key, field, definition }: PlannedField): ShownKey {
  const { label, isAlwaysShown = false } = definition
  return { key, label, isAlwaysShown, show: (process) => definition.show(process[field], process) }
}

function shownParts(key: ProcessKey): readonly ShownKey[] {
  const part = (PART_KEYS as Readonly<Record<string, PartKey>>)[key]
  if (part === undefined) return []
  const { label, partOf } = part
  return [{ key, label, isAlwaysShown: false, show: (process) => part.show(process[partOf as keyof PlannedValues]) }]
}
