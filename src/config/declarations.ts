import * as v from 'valibot'
import type { Problem } from '../core/errors.ts'
import type { Json } from '../core/types.ts'
import type { Keyed } from './keyed.ts'
import { applyOverrides, type Override, type OverrideTexts, readOverrides } from './overrides.ts'
import {
  CONFIG_NOTATION,
  expandShortForm,
  INNER_KEYS,
  PROCESS_KEYS,
  processSchema,
  type ProcessOptions,
} from './schema.ts'
import type { ProcessKey } from '../generated/keys.ts'
import { isSecretName } from '../core/secret.ts'
import { AS_SETTINGS, isInConfigFile, type Spelling, toCamel, toSnake } from '../core/notation.ts'
import { asOdd, describeType, isDictionary, nearest } from '../core/values.ts'

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
  /** Where the value of a key, or of a key in it, was written; undefined where none was. */
  readonly writtenAt: (key: ProcessKey, inner?: string) => string | undefined
  /** What was given beside the declaration and is part of it here. */
  readonly overrides: readonly Override[]
  /** How things are written where it stands. */
  readonly spelling: Spelling
}

interface DeclarationsInput {
  readonly processes: Json | undefined
  readonly defaults: Json | undefined
  /** Process names in the order of the declaration; others may be among them. */
  readonly order: readonly string[]
  /** What the project calls itself in hints: the settings module. */
  readonly settingsModule: string
  /** What is given beside the declaration. Default nothing. */
  readonly overrides?: OverrideTexts | undefined
  /** What a config file exports; with it nothing need be declared in the settings. */
  readonly config?: { readonly file: string; readonly value: Json | undefined } | undefined
}

export interface Declarations {
  readonly declarations: readonly Declaration[]
  /** The names that were declared, whether their declaration is usable or not. */
  readonly names: readonly string[]
  readonly problems: readonly Problem[]
  /** Warnings about variables that are called as overrides are, and are none. */
  readonly unknownVariables: readonly Problem[]
}

/** One place where processes are declared together. */
interface Source {
  readonly spelling: Spelling
  readonly processes: { readonly [key: string]: Json }
  readonly defaults: ReadonlyMap<string, Keyed>
  readonly names: readonly string[]
}

interface Read {
  readonly source?: Source
  readonly problems: readonly Problem[]
}

/** Checks the declarations as a whole: every problem of every process, in one list. */
export function parseDeclarations(input: DeclarationsInput): Declarations {
  const { processes, config } = input
  const isInSettings = processes !== undefined || config === undefined
  const reads = [...(isInSettings ? [readSettings(input)] : []), ...(config ? [readConfig(config)] : [])]
  const sources = reads.flatMap(({ source }) => source ?? [])
  const names = [...new Set(sources.flatMap((source) => source.names))]
  const where = [...(isInSettings ? [AS_SETTINGS.processes] : []), ...(config ? [fileName(config.file)] : [])].join(
    ' or ',
  )
  const given = readOverrides(input.overrides ?? { set: [], env: {} }, { names, where })
  const results = sources.flatMap((source, index) =>
    source.names.map((name) => {
      const first = sources.slice(0, index).find((other) => other.names.includes(name))
      if (first) return declaredTwice(name, source, first)
      const overrides = given.overrides.filter(({ process }) => process === name)
      return parseDeclaration(name, source, { names, overrides })
    }),
  )
  return {
    names,
    declarations: results.flatMap((result) => result.declaration ?? []),
    problems: [
      ...reads.flatMap(({ problems }) => problems),
      ...given.problems,
      ...withoutRepeated(results.flatMap((result) => result.problems)),
    ],
    unknownVariables: given.unknown,
  }
}

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function readSettings(input: DeclarationsInput): Read {
  const { processes, settingsModule } = input
  if (processes === undefined) {
    const hint = `Add it to ${settingsModule}: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}`
    return {
      problems: [{ id: 'E101', place: settingsModule, message: 'PRODUCTION_PROCESSES setting not found.', hint }],
    }
  }
  const example = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'
  return readProcesses({ ...input, processes, spelling: AS_SETTINGS, example })
}

/** The keys of a config file. */
const CONFIG_KEYS = ['processes', 'defaults', '$schema'] as const

/** How things are written where a process is declared, by its place. */
export const spellingAt = (place: string): Spelling => (isInConfigFile(place) ? CONFIG_NOTATION : AS_SETTINGS)

function readConfig({ file, value }: NonNullable<DeclarationsInput['config']>): Read {
  const hint = 'Write: export default defineConfig({ processes: { web: { backend: "gunicorn" } } })'
  if (value === undefined)
    return { problems: [{ id: 'E113', place: file, message: 'The config file exports nothing by default.', hint }] }
  if (!isDictionary(value)) {
    const message = `The config file must export an object with processes, not ${CONFIG_NOTATION.describeType(value)}.`
    return { problems: [{ id: 'E113', place: file, message, hint }] }
  }
  const unknown = Object.keys(value).filter((key) => !CONFIG_KEYS.some((known) => known === key))
  const problems = unknown.map((key): Problem => {
    const near = nearest(key, CONFIG_KEYS)
    const known = near ? `Did you mean ${near}?` : `Known keys: ${CONFIG_KEYS.join(', ')}`
    return { id: 'E106', place: key, message: `A config file has no key ${JSON.stringify(key)}.`, hint: known }
  })
  const { processes, defaults } = value
  if (processes === undefined) {
    const missing: Problem = { id: 'E113', place: file, message: 'The config file has no processes.', hint }
    return { problems: problems.length > 0 ? problems : [missing] }
  }
  const example = 'processes: { web: { backend: "gunicorn" } }'
  const read = readProcesses({ processes, defaults, order: [], spelling: CONFIG_NOTATION, example })
  return { ...read, problems: [...problems, ...read.problems] }
}

interface Written {
  readonly processes: Json
  readonly defaults: Json | undefined
  readonly order: readonly string[]
  readonly spelling: Spelling
  /** How it is written when it is right. */
  readonly example: string
}

function readProcesses({ processes, defaults, order, spelling, example }: Written): Read {
  const place = spelling.processes
  if (!isDictionary(processes)) {
    const message = `PRODUCTION_PROCESSES must be a dictionary of process names, not ${describeType(processes)}.`
    return { problems: [{ ...spelling.say({ place, message }), id: 'E102', hint: `Write it as: ${example}` }] }
  }
  if (Object.keys(processes).length === 0) {
    const hint = `Declare a process: ${example.replace(/^\w+(?: =|:) /, '')}`
    return { problems: [{ ...spelling.say({ place, message: 'PRODUCTION_PROCESSES is empty.' }), id: 'E103', hint }] }
  }
  const shared = parseDefaults(defaults, spelling)
  const ordered = order.filter((name) => Object.hasOwn(processes, name))
  const names = ordered.length > 0 ? ordered : Object.keys(processes)
  return { source: { spelling, processes, defaults: shared.values, names }, problems: shared.problems }
}

function declaredTwice(name: string, { spelling }: Source, first: Source): Parsed {
  const place = spelling.below(spelling.processes, name)
  const message = `${JSON.stringify(name)} is declared twice: here, and in ${first.spelling.below(first.spelling.processes, name)}.`
  return { problems: [{ id: 'E114', place, process: name, message, hint: 'Rename one of them' }] }
}

/** What is wrong in the defaults is said once, and not of every process that starts from them. */
function withoutRepeated(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  return problems.flatMap((problem) => {
    if (![AS_SETTINGS, CONFIG_NOTATION].some(({ defaults }) => new RegExp(`^${defaults}[.[]`).test(problem.place)))
      return problem
    const shared = { ...problem, process: undefined }
    const text = JSON.stringify(shared)
    if (seen.has(text)) return []
    seen.add(text)
    return shared
  })
}

function parseDefaults(
  value: Json | undefined,
  spelling: Spelling,
): { values: ReadonlyMap<string, Keyed>; problems: readonly Problem[] } {
  if (value === undefined || value === null) return { values: new Map(), problems: [] }
  const place = spelling.defaults
  if (isDictionary(value)) return { values: readKeys(value, place, spelling), problems: [] }
  const message = `PRODUCTION_PROCESS_DEFAULTS must be a dictionary, not ${describeType(value)}.`
  return { values: new Map(), problems: [{ ...spelling.say({ place, message }), id: 'E107' }] }
}

interface Around {
  readonly names: readonly string[]
  readonly overrides: readonly Override[]
}

interface Parsed {
  readonly declaration?: Declaration
  readonly problems: readonly Problem[]
}

function parseDeclaration(name: string, source: Source, { names, overrides }: Around): Parsed {
  const { spelling, defaults } = source
  const value = source.processes[name] as Json
  const place = placeIn(spelling.processes, name, value, spelling)
  const at = (problem: Omit<Problem, 'process'>): Problem => spelling.say({ ...problem, process: name })
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
  const overridden = applyOverrides(new Map([...defaults, ...readKeys(value, place, spelling)]), overrides)
  const { keyed, applied } = overridden
  const placeOf = (key: string, ...inner: readonly string[]): string => {
    const entry = keyed.get(key)
    const own = entry?.inner?.get(key in INNER_KEYS ? toSnake(inner[0] ?? '') : (inner[0] ?? ''))
    const rest = own === undefined ? inner : inner.slice(1)
    return rest.reduce(spelling.below, own ?? entry?.place ?? spelling.below(place, spelling.key(key)))
  }
  const writtenAt = (key: string, inner?: string): string | undefined => {
    const entry = keyed.get(key)
    if (!entry || inner === undefined) return entry?.place
    if (!isDictionary(entry.value))
      return Object.hasOwn(expandShortForm(key, entry.value) ?? {}, inner) ? entry.place : undefined
    return Object.hasOwn(entry.value, inner) ? placeOf(key, spelling.inner(inner)) : undefined
  }
  const result = parseKeys(keyed)
  const context = { keyed, place, placeOf, spelling }
  const found = (result.issues ?? []).map((issue) => at(explainIssue(issue, context)))
  const problems = [...overridden.problems, ...withoutFollowing(found, spelling)]
  const wrong = (result.issues ?? []).map((issue) => String(issue.path?.[0]?.key))
  const usable = new Map([...keyed].filter(([key]) => !wrong.includes(key)))
  const rest = result.success ? result : parseKeys(usable)
  if (!rest.success) return { problems }
  const origin = Object.fromEntries([...usable].map(([key, { place }]) => [key, place]))
  return {
    declaration: { ...rest.output, name, place, wrong, origin, placeOf, writtenAt, spelling, overrides: applied },
    problems,
  }
}

/** A `BACKEND` that is only misspelt is not missing as well. */
const withoutFollowing = (problems: readonly Problem[], { key }: Spelling): readonly Problem[] =>
  problems.some(({ hint }) => hint === `Did you mean ${key('backend')}?`)
    ? problems.filter(({ id }) => id !== 'E201')
    : problems

const parseKeys = (keyed: ReadonlyMap<string, Keyed>): v.SafeParseResult<typeof processSchema> =>
  v.safeParse(processSchema, Object.fromEntries([...keyed].map(([key, { value }]) => [key, value])))

/** Reads a dictionary's keys into the schema's spelling, inner keys included. */
function readKeys(
  value: { readonly [key: string]: Json },
  place: string,
  spelling: Spelling,
): ReadonlyMap<string, Keyed> {
  return new Map(
    Object.entries(value).map(([written, inner]) => {
      const key = keyOf(written, spelling)
      const isOurs = spelling === AS_SETTINGS && key in INNER_KEYS
      return [
        key,
        { value: isOurs ? camelKeys(inner) : inner, written, place: placeIn(place, written, inner, spelling) },
      ]
    }),
  )
}

/**
 * The key in the schema's spelling; what is none there is left as something that the schema cannot know either. Only
 * upper case names are keys of ours in settings: `backend` would be ignored by the original.
 */
function keyOf(written: string, spelling: Spelling): string {
  const isKey =
    spelling === AS_SETTINGS ? /^[A-Z][A-Z0-9_]*$/.test(written) : PROCESS_KEYS.some((key) => key === written)
  if (!isKey) return JSON.stringify(written)
  return spelling === AS_SETTINGS ? toCamel(written) : written
}

function camelKeys(value: Json): Json {
  if (!isDictionary(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [toCamel(key), inner]))
}

/** A key as it is written below a place: `["web"]`, and `[5]` where Python has something else than a string. */
function placeIn(place: string, key: string, value: unknown, { below }: Spelling): string {
  const odd = asOdd(value)
  return odd?.type === 'key' ? `${place}[${odd.repr}]` : below(place, key)
}

interface IssueContext {
  readonly keyed: ReadonlyMap<string, Keyed>
  readonly place: string
  readonly placeOf: (key: string, ...inner: string[]) => string
  readonly spelling: Spelling
}

function explainIssue(
  issue: v.BaseIssue<unknown>,
  { keyed, place, placeOf, spelling }: IssueContext,
): Omit<Problem, 'process'> {
  const [key = '', ...path] = (issue.path ?? []).map((item) => String(item.key))
  const inner = key in INNER_KEYS ? path.map(spelling.inner) : path
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const [known, written, owner] =
      inner.length > 0
        ? [(INNER_KEYS[key] ?? []).map(spelling.inner), inner.at(-1) ?? '', spelling.key(key)]
        : [PROCESS_KEYS.map(spelling.key), keyed.get(key)?.written ?? key, 'A process']
    const near = nearest(written, known) ?? known.find((other) => sameLetters(other, written))
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
      message: `A key of ${spelling.key(key)} must be a string, not ${odd.repr}.`,
    }
  const what = [spelling.key(key), ...inner.map((part) => `[${JSON.stringify(part)}]`)].join('')
  // What a value looks like may be a secret; what kind of value it is cannot be.
  // That it is a dictionary was not what is wrong with it.
  const hidden = isSecretName(inner.at(-1) ?? key) || issue.type === 'check'
  const shown = hidden ? '' : describeValue(issue.input)
  return { id: 'E107', place: placeOf(key, ...inner), message: `${what} must be ${issue.message}${shown}.` }
}

/** The other spelling of a key: `DEPENDS_ON` where `dependsOn` is meant. */
const sameLetters = (one: string, other: string): boolean =>
  one.replaceAll('_', '').toLowerCase() === other.replaceAll('_', '').toLowerCase()

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
