import type { ProcessKey } from '../generated/keys.ts'
import type { Problem } from '../core/errors.ts'
import { placeWithin, toSettingsKey } from '../core/notation.ts'
import type { ExportedProcess } from './input.ts'

/** Returns the location of a key in the declaration, or the location that the key would have. */
export const keyLocation = ({ place, from }: Pick<ExportedProcess, 'place' | 'from'>, key: ProcessKey): string =>
  from[key] ?? placeWithin(place, `["${toSettingsKey(key)}"]`)

/**
 * Refuses what no file of the target can hold.
 *
 * @param inner the location within the declaration of the process, such as `["ENV"]["PORT"]`; empty for all of it
 */
export function refusal(
  { name, place }: Pick<ExportedProcess, 'name' | 'place'>,
  inner: string,
  message: string,
  hint?: string,
): Problem {
  return { id: 'E802', place: placeWithin(place, inner), process: name, message, hint }
}
