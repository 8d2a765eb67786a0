import type { Problem } from '../core/errors.ts'
import { placeWithin, toSettingsKey } from '../core/notation.ts'
import type { ProcessKey } from '../generated/keys.ts'
import type { ExportedProcess } from './input.ts'

type Declared = Pick<ExportedProcess, 'name' | 'place' | 'from'>

/** Returns the location of a key in the declaration, or the location that the key would have. */
export const keyLocation = ({ place, from }: Declared, key: ProcessKey): string =>
  from[key] ?? placeWithin(place, `["${toSettingsKey(key)}"]`)

/** Refuses the value of a key, or the name of the process, which no file of the target can hold. */
export function refuse(declared: Declared, key: ProcessKey | 'name', message: string, hint?: string): Problem {
  const place = key === 'name' ? declared.place : keyLocation(declared, key)
  return { id: 'E802', place, process: declared.name, message, hint }
}

/** Refuses a variable of the environment. */
export function refuseVariable({ name, place }: Declared, variable: string, message: string): Problem {
  return { id: 'E802', place: placeWithin(place, `["ENV"][${JSON.stringify(variable)}]`), process: name, message }
}
