import * as v from 'valibot'
import type { Problem } from '../errors.ts'
import type { Json } from '../types.ts'
import type { Keyed } from './keyed.ts'
import { applyOverrides, type Override, type OverrideTexts, readOverrides } from './overrides.ts'
import {
  INNER_KEYS,
  PROCESS_KEYS,
  processSchema,
  type ProcessKey,
  type ProcessOptions,
  toCamel,
  toSettingsKey,
  toSnake,
} from './schema.ts'
import { isSecretName } from '../secret.ts'
import { asOdd, describeType, isDictionary, nearest } from '../values.ts'

/** One process as the user declared it, checked and normalised. */
export interface Declaration extends ProcessOptions {
  readonly name: string
  /** Where it stands: `PRODUCTION_PROCESSES["web"]`. */
  readonly place: string
  /** Keys that were left out because of their problems: the rest is checked, and nothing is planned. */
  readonly wrong: readonly string[]
  /** Where each of its values was written. */
  readonly origin: Readonly<Partial<Record<ProcessKey, string>>>
  /** The spelling of a key at its place, for messages. */
  readonly placeOf: (key: ProcessKey, ...inner: readonly string[]) => string
  /** What was given beside the declaration and is part of it here. */
  readonly overrides: readonly Override[]
}

export interface DeclarationsInput {
  readonly processes: Json | undefined
  readonly defaults: Json | undefined
  /** Process names in the order of the declaration. */
  readonly order: readonly string[]
  /** What the project calls itself in hints: the settings module. */
  readonly settingsModule: string
  /** What is given beside the declaration. Default nothing. */
  readonly overrides?: OverrideTexts | undefined
}

export interface Declarations {
  readonly declarations: readonly Declaration[]
  /** The names that were declared, whether their declaration is usable or not. */
  readonly names: readonly string[]
  readonly problems: readonly Problem[]
  /** Warnings about variables that are called as overrides are, and are none. */
  readonly unknownVariables: readonly Problem[]
}

const SETTING = 'PRODUCTION_PROCESSES'
const DEFAULTS = 'PRODUCTION_PROCESS_DEFAULTS'

/** Checks the setting as a whole: every problem of every process, in one list. */
export function parseDeclarations(input: DeclarationsInput): Declarations {
  const { processes, settingsModule } = input
  const none = { declarations: [], names: [], unknownVariables: [] }
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
  const given = readOverrides(input.overrides ?? { set: [], env: {} }, names)
  const results = names.map((name) => {
    const overrides = given.overrides.filter(({ process }) => process === name)
    return parseDeclaration(name, processes[name] as Json, { defaults: defaults.values, names, overrides })
  })
  return {
    names,
    declarations: results.flatMap((result) => result.declaration ?? []),
    problems: [
      ...defaults.problems,
      ...given.problems,
      ...withoutRepeated(results.flatMap((result) => result.problems)),
    ],
    unknownVariables: given.unknown,
  }
}

/** What is wrong in the defaults is said once, and not of every process that starts from them. */
function withoutRepeated(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  return problems.flatMap((problem) => {
    if (!problem.place.startsWith(`${DEFAULTS}[`)) return problem
    const shared = { ...problem, process: undefined }
    const text = JSON.stringify(shared)
    if (seen.has(text)) return []
    seen.add(text)
    return shared
  })
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

interface Around {
  readonly defaults: ReadonlyMap<string, Keyed>
  readonly names: readonly string[]
  readonly overrides: readonly Override[]
}

function parseDeclaration(
  name: string,
  value: Json,
  { defaults, names, overrides }: Around,
): { declaration?: Declaration; problems: readonly Problem[] } {
  const place = `${SETTING}${placeIn(name, value)}`
  const at = (problem: Omit<Problem, 'process'>): Problem => ({ ...problem, process: name })
  const badName = nameProblem(name, value) ?? ambiguity(name, names)
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
  const overridden = applyOverrides(new Map([...defaults, ...readKeys(value, place)]), overrides)
  const { keyed, applied } = overridden
  const placeOf = (key: string, ...inner: readonly string[]): string => {
    const entry = keyed.get(key)
    const own = entry?.inner?.get(inner[0] ?? '')
    const rest = own === undefined ? inner : inner.slice(1)
    return [
      own ?? entry?.place ?? `${place}["${toSettingsKey(key)}"]`,
      ...rest.map((part) => `[${JSON.stringify(part)}]`),
    ].join('')
  }
  const result = parseKeys(keyed)
  const problems = [
    ...overridden.problems,
    ...withoutFollowing((result.issues ?? []).map((issue) => at(explainIssue(issue, keyed, place, placeOf)))),
  ]
  const wrong = (result.issues ?? []).map((issue) => String(issue.path?.[0]?.key))
  const usable = new Map([...keyed].filter(([key]) => !wrong.includes(key)))
  const rest = result.success ? result : parseKeys(usable)
  if (!rest.success) return { problems }
  const origin = Object.fromEntries([...usable].map(([key, { place }]) => [key, place]))
  return { declaration: { ...rest.output, name, place, wrong, origin, placeOf, overrides: applied }, problems }
}

/** A `BACKEND` that is only misspelt is not missing as well. */
const withoutFollowing = (problems: readonly Problem[]): readonly Problem[] =>
  problems.some(({ hint }) => hint === 'Did you mean BACKEND?') ? problems.filter(({ id }) => id !== 'E201') : problems

const parseKeys = (keyed: ReadonlyMap<string, Keyed>): v.SafeParseResult<typeof processSchema> =>
  v.safeParse(processSchema, Object.fromEntries([...keyed].map(([key, { value }]) => [key, value])))

/** Reads a dictionary's keys into the schema's spelling, inner keys included. */
function readKeys(value: { readonly [key: string]: Json }, place: string): ReadonlyMap<string, Keyed> {
  return new Map(
    Object.entries(value).map(([written, inner]) => {
      // What is no key of settings is left as something that the schema cannot know either.
      const key = isSettingsKey(written) ? toCamel(written) : JSON.stringify(written)
      return [
        key,
        { value: key in INNER_KEYS ? camelKeys(inner) : inner, written, place: `${place}${placeIn(written, inner)}` },
      ]
    }),
  )
}

/** Only upper case names are keys of ours in settings: `backend` would be ignored by the original. */
const isSettingsKey = (key: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(key)

function camelKeys(value: Json): Json {
  if (!isDictionary(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [toCamel(key), inner]))
}

/** A key as Python shows it: `["web"]`, and `[5]` where it is not a string. */
function placeIn(key: string, value: unknown): string {
  const odd = asOdd(value)
  return `[${odd?.type === 'key' ? odd.repr : JSON.stringify(key)}]`
}

function explainIssue(
  issue: v.BaseIssue<unknown>,
  keyed: ReadonlyMap<string, Keyed>,
  place: string,
  placeOf: (key: string, ...inner: string[]) => string,
): Omit<Problem, 'process'> {
  const [key = '', ...path] = (issue.path ?? []).map((item) => String(item.key))
  const inner = key in INNER_KEYS ? path.map(toSnake) : path
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const [known, written, owner] =
      inner.length > 0
        ? [(INNER_KEYS[key] ?? []).map(toSnake), inner.at(-1) ?? '', toSettingsKey(key)]
        : [PROCESS_KEYS.map(toSettingsKey), keyed.get(key)?.written ?? key, 'A process']
    const near = nearest(written, known)
    return {
      id: 'E106',
      place: placeOf(key, ...inner),
      message: `${owner} has no key ${JSON.stringify(written)}.`,
      hint: near ? `Did you mean ${near}?` : `Known keys: ${known.join(', ')}`,
    }
  }
  if (key === 'backend') {
    const missing = !keyed.has('backend')
    return {
      id: missing ? 'E201' : 'E107',
      place: missing ? place : placeOf('backend'),
      message: missing ? 'BACKEND is missing.' : `BACKEND must be ${issue.message}${describeValue(issue.input)}.`,
      hint: 'Name what runs, for example "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"',
    }
  }
  const odd = asOdd(issue.input)
  if (odd?.type === 'key')
    return {
      id: 'E107',
      place: `${placeOf(key)}[${odd.repr}]`,
      message: `A key of ${toSettingsKey(key)} must be a string, not ${odd.repr}.`,
    }
  const what = [toSettingsKey(key), ...inner.map((part) => `[${JSON.stringify(part)}]`)].join('')
  // What a value looks like may be a secret; what kind of value it is cannot be.
  // That it is a dictionary was not what is wrong with it.
  const hidden = isSecretName(inner.at(-1) ?? key) || issue.type === 'check'
  const shown = hidden ? '' : describeValue(issue.input)
  return { id: 'E107', place: placeOf(key, ...inner), message: `${what} must be ${issue.message}${shown}.` }
}

/** It becomes a part of file names, which have an end. */
const LONGEST_NAME = 100

function nameProblem(name: string, value: Json): { message: string; hint: string } | undefined {
  const hint = 'Use letters, digits, "-", "_" and ".", beginning with a letter or digit'
  const odd = asOdd(value)
  if (odd?.type === 'key') return { message: `A process name must be a string, not ${odd.repr}.`, hint }
  const bytes = new TextEncoder().encode(name).length
  if (bytes > LONGEST_NAME)
    return { message: `A process name has at most ${LONGEST_NAME} bytes, and this one has ${bytes}.`, hint }
  if (/^[\p{L}\p{N}][\p{L}\p{N}._ -]*$/u.test(name)) return undefined
  return {
    message: `${JSON.stringify(name)} cannot be used as a process name: it names files, units and options elsewhere.`,
    hint,
  }
}

/** `web.1` is what the first instance of `web` is called. */
function ambiguity(name: string, names: readonly string[]): { message: string; hint: string } | undefined {
  const [, process] = /^(.+)\.\d+$/.exec(name) ?? []
  if (process === undefined || !names.includes(process)) return undefined
  const message = `${JSON.stringify(name)} cannot be used beside ${JSON.stringify(process)}: an instance of that has this name.`
  return { message, hint: `Such as: ${JSON.stringify(name.replace('.', '-'))}` }
}

function describeValue(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return `, not ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`
  return `, not ${typeof value === 'number' ? value : describeType(value as Json)}`
}
