import type { Problem } from '../core/errors.ts'
import type { Env } from '../core/types.ts'
import { nearest } from '../core/values.ts'
import type { SetText } from './set-text.ts'
import { PROCESS_KEYS, takesInner } from './schema.ts'
import { toSettingsKey } from '../core/notation.ts'

/** What an override is about, as far as names tell. */
export interface OverrideTarget {
  readonly process: string
  /** In the schema's spelling. */
  readonly key: string
  /** The key within its value, as it was written; undefined for the whole. */
  readonly inner: string | undefined
}

/** What there is to be overridden. */
export interface Declared {
  /** Of all processes. */
  readonly names: readonly string[]
  /** What declares them: the setting, the config file, or both. */
  readonly where: string
}

/** What a `--set` is about, or why it can be about nothing. */
export function findSetTarget({ path, segments }: SetText, { names, where }: Declared): OverrideTarget | Problem {
  const place = `--set ${path}`
  // A name may have dots, and so may an option or a variable.
  const split = segments.slice(1).map((key, index) => ({
    process: segments.slice(0, index + 1).join('.'),
    key,
    inner: segments.slice(index + 2).join('.') || undefined,
  }))
  const declared = split.filter(({ process }) => names.includes(process))
  const [first] = declared
  if (!first)
    return unknownProcess(place, split.find(({ key }) => findKey(key))?.process ?? split[0]?.process ?? '', {
      names,
      where,
    })
  const found = declared.flatMap((candidate) => {
    const key = findKey(candidate.key)
    return key === undefined ? [] : [{ ...candidate, key }]
  })
  const [target] = found
  if (!target) return unknownKey(place, first)
  if (found.length > 1) return ambiguous(place, found.map(asSet))
  if (target.inner === undefined || takesInner(target.key)) return target
  return {
    id: 'E106',
    place,
    process: target.process,
    message: `${toSettingsKey(target.key)} has no key ${JSON.stringify(target.inner)}.`,
    hint: `Write: --set ${quoteSegment(target.process)}.${toSettingsKey(target.key)}=VALUE`,
  }
}

/** Keys are found in each of their spellings: `MAX_DELAY`, `max-delay`, `maxDelay`. */
export const fold = (name: string): string => name.replace(/[-_]/g, '').toLowerCase()

const findKey = (name: string): string | undefined => PROCESS_KEYS.find((key) => fold(key) === fold(name))

/** The target as it can be written without doubt. */
const asSet = ({ process, key, inner }: OverrideTarget): string =>
  [quoteSegment(process), toSettingsKey(key), ...(inner === undefined ? [] : [quoteSegment(inner)])].join('.')

const quoteSegment = (name: string): string => (/[."=]/.test(name) ? JSON.stringify(name) : name)

function unknownProcess(place: string, name: string, { names, where }: Declared): Problem {
  const near = nearest(name, names)
  return {
    id: 'E104',
    place,
    message: `Process '${name}' not found in ${where}.`,
    hint: near ? `Did you mean ${near}?` : `Declared: ${names.join(', ')}`,
  }
}

function unknownKey(place: string, { process, key, inner }: OverrideTarget): Problem {
  const near = nearest(key, PROCESS_KEYS.map(toSettingsKey))
  const option = [quoteSegment(process), 'ARGS', key, ...(inner === undefined ? [] : [inner])].join('.')
  return {
    id: 'E106',
    place,
    process,
    message: `A process has no key ${JSON.stringify(key)}.`,
    hint: near ? `Did you mean ${near}?` : `An option of its program is written: --set ${option}=VALUE`,
  }
}

export const ambiguous = (place: string, meanings: readonly string[], process?: string): Problem => ({
  id: 'E112',
  place,
  process,
  message: `This can mean ${meanings.join(' or ')}.`,
  hint: `Write: --set '${meanings[0]}=VALUE'`,
})

const PREFIX = 'PRODSERVER_'

/** Variables with that prefix that people set for something else. */
const SETTINGS: readonly string[] = [
  'PRODSERVER_PACKAGE',
  'PRODSERVER_PYTHON',
  'PRODSERVER_SETTINGS_TIMEOUT',
  'PRODSERVER_STATE_DIR',
]

/** Variables with that prefix that mean something else, whatever processes are called. */
export const OWN_VARIABLES: readonly string[] = [
  ...SETTINGS,
  'PRODSERVER_INSTANCE',
  'PRODSERVER_SHIM_FD',
  'PRODSERVER_LIFE',
  'PRODSERVER_LISTEN_FDS',
  'PRODSERVER_NODE_SOCKETS',
  'PRODSERVER_OVERRIDES',
  'PRODSERVER_PROBE_FD',
  'PRODSERVER_PROCESS',
  'PRODSERVER_SERVED',
  'PRODSERVER_VENV',
]

/** Variables that may be overrides, in the order of their names: what is longer is about a part of what is shorter. */
export const overrideVariables = (env: Env): readonly (readonly [name: string, value: string])[] =>
  Object.entries(env)
    // An empty one is as good as none, as with our other variables.
    .filter((entry): entry is [string, string] => entry[0].startsWith(PREFIX) && Boolean(entry[1]))
    .filter(([name]) => !OWN_VARIABLES.includes(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))

/** A name as a part of the name of a variable, which has nothing but capital letters, digits and `_`. */
export const toVariable = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]/g, '_')

/** A key within a value as it is usually spelt, from the capital letters of a variable. */
export function usualInner(key: string, inner: string): string {
  if (key === 'env') return inner
  return inner.toLowerCase().replaceAll('_', key === 'args' ? '-' : '_')
}

/** What a variable is about: undefined where it is about no process. */
export function findVariableTarget(variable: string, names: readonly string[]): OverrideTarget | Problem | undefined {
  const found = names.flatMap((process): readonly OverrideTarget[] => {
    const start = `${PREFIX}${toVariable(process)}_`
    if (!variable.startsWith(start)) return []
    const rest = variable.slice(start.length)
    // The longest key: WEB_ENV_FILE is no variable called FILE.
    const [key] = PROCESS_KEYS.filter((candidate) => {
      const name = toSettingsKey(candidate)
      return rest === name || (takesInner(candidate) && rest.startsWith(`${name}_`) && rest.length > name.length + 1)
    }).toSorted((a, b) => b.length - a.length)
    return key === undefined ? [] : [{ process, key, inner: rest.slice(toSettingsKey(key).length + 1) || undefined }]
  })
  const meanings = found.map((target) =>
    asSet({ ...target, inner: target.inner && usualInner(target.key, target.inner) }),
  )
  return found.length > 1 ? ambiguous(variable, meanings) : found[0]
}

/** A variable that looks like one of ours and is none, with the one that may have been meant. */
export function unknownVariable(variable: string, names: readonly string[]): Problem {
  const known = [...SETTINGS, ...names.flatMap((process) => alike(variable, process))]
  const bare = (name: string): string => name.slice(PREFIX.length)
  const near = nearest(bare(variable), known.map(bare))
  return {
    id: 'W101',
    place: variable,
    message: "Nothing heeds this variable: it is none of prodserver's own, and no override of a declared process.",
    hint: near
      ? `Did you mean ${PREFIX}${near}?`
      : `Overrides are called ${PREFIX}NAME_KEY. Declared: ${names.join(', ')}`,
  }
}

/** The variables of a process that have as many words, with the last of them as they are here. */
function alike(variable: string, process: string): readonly string[] {
  const words = variable.split('_')
  return PROCESS_KEYS.flatMap((key) => {
    const start = `${PREFIX}${toVariable(process)}_${toSettingsKey(key)}`
    const rest = words.slice(start.split('_').length)
    return rest.length === 0 || takesInner(key) ? [[start, ...rest].join('_')] : []
  })
}
