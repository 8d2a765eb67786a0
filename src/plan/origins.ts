import type { Backend } from '../backends/backend.ts'
import type { Declaration } from '../config/declarations.ts'
import { INNER_KEYS, PROBE_KINDS, PROCESS_KEYS, type ProcessKey } from '../config/schema.ts'

/** Nobody chose the value. */
export const DEFAULT = 'default'

/** What is told of by words of a command line, by variables, or by the application that is found. */
const ELSEWHERE: ReadonlySet<string> = new Set(['app', 'args', 'env', 'envFile'])

/**
 * Where each value of a process comes from, by its key; of a dictionary by the keys in it, `stop.timeout`. A place in the
 * declaration or of an override, `the backend NAME`, or `default`.
 */
export function originsOf(declaration: Declaration, backend: Backend): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PROCESS_KEYS.filter((key) => !ELSEWHERE.has(key) || declaration.writtenAt(key) !== undefined).flatMap((key) => {
      const parts = partsOf(key, declaration, backend)
      if (parts.length > 0) return parts
      const ofBackend = key === 'reload' && backend.reload !== undefined ? `the backend ${backend.name}` : DEFAULT
      return [[key, declaration.writtenAt(key) ?? ofBackend]]
    }),
  )
}

/** None where the key has a value as a whole. */
function partsOf(
  key: ProcessKey,
  { writtenAt }: Declaration,
  backend: Backend,
): readonly (readonly [string, string])[] {
  const inner = INNER_KEYS[key]
  if (!inner || (key === 'alive' && writtenAt(key) === undefined)) return []
  const given = givenBy(key, backend)
  const isProbe = key === 'ready' || key === 'alive'
  return inner.flatMap((part) => {
    const written = writtenAt(key, part)
    // A declared probe takes the place of the backend's as a whole.
    const isGiven = given.includes(part) && !(isProbe && writtenAt(key) !== undefined)
    const isAbsent = isProbe && PROBE_KINDS.some((kind) => kind === part) && written === undefined && !isGiven
    if (isAbsent) return []
    return [[`${key}.${part}`, written ?? (isGiven ? `the backend ${backend.name}` : DEFAULT)]]
  })
}

/** The parts of a key that a backend has a value for. */
function givenBy(key: string, { ready, stop }: Backend): readonly string[] {
  if (key === 'ready') return Object.keys(ready ?? {})
  if (key !== 'stop') return []
  return [...(stop?.signal === undefined ? [] : ['signal']), ...(stop?.timeoutMs === undefined ? [] : ['timeout'])]
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
