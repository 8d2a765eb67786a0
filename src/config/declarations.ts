import * as v from 'valibot'
import type { Problem } from '../errors.ts'
import type { Json } from '../types.ts'
import {
  PROCESS_KEYS,
  processSchema,
  type ProcessKey,
  type ProcessOptions,
  toCamel,
  toSettingsKey,
  toSnake,
} from './schema.ts'
import { asOdd, describeType, isDictionary, nearest } from '../values.ts'

/** One process as the user declared it, checked and normalised. */
export interface Declaration extends ProcessOptions {
  readonly name: string
  /** Where it stands: `PRODUCTION_PROCESSES["web"]`. */
  readonly place: string
  /** Where each of its values was written. */
  readonly origin: Readonly<Partial<Record<ProcessKey, string>>>
  /** The spelling of a key at its place, for messages. */
  readonly placeOf: (key: ProcessKey, ...inner: readonly string[]) => string
}

export interface DeclarationsInput {
  readonly processes: Json | undefined
  readonly defaults: Json | undefined
  /** Process names in the order of the declaration. */
  readonly order: readonly string[]
  /** What the project calls itself in hints: the settings module. */
  readonly settingsModule: string
}

export interface Declarations {
  readonly declarations: readonly Declaration[]
  /** The names that were declared, whether their declaration is usable or not. */
  readonly names: readonly string[]
  readonly problems: readonly Problem[]
}

const SETTING = 'PRODUCTION_PROCESSES'
const DEFAULTS = 'PRODUCTION_PROCESS_DEFAULTS'

/** Checks the setting as a whole: every problem of every process, in one list. */
export function parseDeclarations(input: DeclarationsInput): Declarations {
  const { processes, settingsModule } = input
  const none = { declarations: [], names: [] }
  if (processes === undefined) {
    const hint = `Add it to ${settingsModule}: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}`
    return {
      ...none,
      problems: [{ id: 'E101', place: settingsModule, message: 'PRODUCTION_PROCESSES setting not found.', hint }],
    }
  }
  if (!isDictionary(processes)) {
    return {
      ...none,
      problems: [
        {
          id: 'E102',
          place: SETTING,
          message: `PRODUCTION_PROCESSES must be a dictionary of process names, not ${describeType(processes)}.`,
          hint: 'Write it as: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}',
        },
      ],
    }
  }
  if (Object.keys(processes).length === 0) {
    return {
      ...none,
      problems: [
        {
          id: 'E103',
          place: SETTING,
          message: 'PRODUCTION_PROCESSES is empty.',
          hint: 'Declare a process: {"web": {"BACKEND": "gunicorn"}}',
        },
      ],
    }
  }
  const defaults = parseDefaults(input.defaults)
  const names = input.order.length > 0 ? input.order : Object.keys(processes)
  const results = names.map((name) => parseDeclaration(name, processes[name] as Json, defaults.values))
  return {
    names,
    declarations: results.flatMap((result) => result.declaration ?? []),
    problems: [...defaults.problems, ...results.flatMap((result) => result.problems)],
  }
}

interface Keyed {
  readonly value: Json
  /** The key as it was written. */
  readonly written: string
  readonly place: string
}

function parseDefaults(value: Json | undefined): { values: ReadonlyMap<string, Keyed>; problems: readonly Problem[] } {
  if (value === undefined || value === null) return { values: new Map(), problems: [] }
  if (!isDictionary(value)) {
    return {
      values: new Map(),
      problems: [
        { id: 'E107', place: DEFAULTS, message: `${DEFAULTS} must be a dictionary, not ${describeType(value)}.` },
      ],
    }
  }
  return { values: readKeys(value, DEFAULTS), problems: [] }
}

function parseDeclaration(
  name: string,
  value: Json,
  defaults: ReadonlyMap<string, Keyed>,
): { declaration?: Declaration; problems: readonly Problem[] } {
  const place = `${SETTING}[${JSON.stringify(name)}]`
  const at = (problem: Omit<Problem, 'process'>): Problem => ({ ...problem, process: name })
  const badName = nameProblem(name, value)
  if (badName) return { problems: [at({ id: 'E105', place, ...badName })] }
  if (!isDictionary(value)) {
    return {
      problems: [
        at({
          id: 'E105',
          place,
          message: `A process must be a dictionary, not ${describeType(value)}.`,
          hint: `Write: ${JSON.stringify(name)}: {"BACKEND": "gunicorn"}`,
        }),
      ],
    }
  }
  const keyed = new Map([...defaults, ...readKeys(value, place)])
  const result = v.safeParse(processSchema, Object.fromEntries([...keyed].map(([key, { value }]) => [key, value])))
  const placeOf = (key: string, ...inner: readonly string[]): string => {
    const entry = keyed.get(key)
    return [
      entry?.place ?? `${place}["${toSettingsKey(key)}"]`,
      ...inner.map((part) => `[${JSON.stringify(part)}]`),
    ].join('')
  }
  if (!result.success) return { problems: result.issues.map((issue) => at(explainIssue(issue, keyed, place, placeOf))) }
  const origin = Object.fromEntries([...keyed].map(([key, { place }]) => [key, place]))
  return { declaration: { ...result.output, name, place, origin, placeOf }, problems: [] }
}

/** Reads a dictionary's keys into the schema's spelling, inner keys included. */
function readKeys(value: { readonly [key: string]: Json }, place: string): ReadonlyMap<string, Keyed> {
  return new Map(
    Object.entries(value).map(([written, inner]) => {
      const key = isSettingsKey(written) ? toCamel(written) : written
      const keepsInner = key === 'args' || key === 'env' || key === 'dependsOn' || key === 'limits'
      return [
        key,
        { value: keepsInner ? inner : camelKeys(inner), written, place: `${place}[${JSON.stringify(written)}]` },
      ]
    }),
  )
}

/** Only upper case names are keys of ours in settings: `backend` would be ignored by the original. */
const isSettingsKey = (key: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(key)

function camelKeys(value: Json): Json {
  if (!isDictionary(value) || asOdd(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [toCamel(key), inner]))
}

function explainIssue(
  issue: v.BaseIssue<unknown>,
  keyed: ReadonlyMap<string, Keyed>,
  place: string,
  placeOf: (key: string, ...inner: string[]) => string,
): Omit<Problem, 'process'> {
  const path = (issue.path ?? []).map((item) => String(item.key))
  const [key = '', ...inner] = path
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    if (inner.length > 0)
      return {
        id: 'E106',
        place: placeOf(key, ...inner.map(toSnake)),
        message: `${toSettingsKey(key)} has no key ${JSON.stringify(toSnake(inner.at(-1) ?? ''))}.`,
      }
    const written = keyed.get(key)?.written ?? key
    const known = PROCESS_KEYS.map(toSettingsKey)
    const near = nearest(written.toUpperCase(), known)
    return {
      id: 'E106',
      place: placeOf(key),
      message: `A process has no key ${JSON.stringify(written)}.`,
      hint: near ? `Did you mean ${near}?` : `Known keys: ${known.join(', ')}`,
    }
  }
  if (key === 'backend') {
    const missing = !keyed.has('backend')
    return {
      id: missing ? 'E201' : 'E107',
      place: missing ? place : placeOf('backend'),
      message: missing ? 'BACKEND is missing.' : `BACKEND must be ${issue.message}.`,
      hint: 'Name what runs, for example "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"',
    }
  }
  return {
    id: 'E107',
    place: placeOf(key, ...inner.map(toSnake)),
    message: `${toSettingsKey(key)} must be ${issue.message}${describeValue(issue.input)}.`,
  }
}

function nameProblem(name: string, value: Json): { message: string; hint: string } | undefined {
  const hint = 'Use letters, digits, "-", "_" and ".", beginning with a letter or digit'
  const odd = asOdd(value)
  if (odd?.type === 'key') return { message: `A process name must be a string, not ${odd.repr}.`, hint }
  if (/^[\p{L}\p{N}][\p{L}\p{N}._ -]*$/u.test(name)) return undefined
  return {
    message: `${JSON.stringify(name)} cannot be used as a process name: it names files, units and options elsewhere.`,
    hint,
  }
}

function describeValue(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return `, not ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`
  return `, not ${typeof value === 'number' ? value : describeType(value as Json)}`
}
