import * as v from 'valibot'
import type { OptionGrammar } from '../args/grammar.ts'
import { nearest } from '../core/values.ts'
import { oneOf } from './schemas.ts'

/**
 * The shape of a backend that is not built in. It comes from a file or a package that nobody has checked, so all that
 * is wrong with it is said, in the words that are used of a declaration.
 */

const text = v.string('a string')
const texts = v.array(text, 'a list of strings')
const textsByName = v.record(text, text, 'an object of strings')
const method = v.function('a function')
const milliseconds = v.pipe(v.number('a number of milliseconds'), v.minValue(0, 'at least 0'))

/** Every member may be left out, and no other may be there. */
const optional = (entries: v.ObjectEntries) =>
  v.strictObject(
    Object.fromEntries(Object.entries(entries).map(([name, schema]) => [name, v.optional(schema)])),
    `an object with some of ${Object.keys(entries).join(', ')}`,
  )

const addon = v.strictObject({ module: text, package: text }, 'an object with module and package')

const values = v.record(
  text,
  v.union([v.string(), v.number(), v.boolean()], 'a string, a number, true or false'),
  'an object of values by option',
)

/** Complete: what is left out here would be refused. */
const grammar = {
  switches: texts,
  pairs: texts,
  negatives: textsByName,
  booleans: texts,
  optionalValues: texts,
  trueMeansOn: v.boolean('true or false'),
  repeatable: texts,
  separators: textsByName,
  lists: textsByName,
  positionals: textsByName,
  aliases: textsByName,
  short: textsByName,
  hyphenate: v.boolean('true or false'),
  substitutes: v.record(
    text,
    v.strictObject({ name: text, unless: text, reason: text }, 'an object with name, unless and reason'),
    'an object of objects',
  ),
  missing: textsByName,
} satisfies Readonly<Record<keyof OptionGrammar, v.GenericSchema>>

const members = {
  contract: v.optional(v.number('a number')),
  name: text,
  title: text,
  summary: text,
  kind: oneOf(['web', 'worker', 'scheduler', 'task']),
  paths: v.optional(texts),
  app: v.optional(oneOf(['wsgi', 'asgi', 'celery', 'script', 'package-script', 'worker-module', 'words', 'none'])),
  appExample: v.optional(text),
  python: v.optional(
    v.strictObject(
      {
        module: text,
        package: text,
        oldest: v.optional(text),
        installedApps: v.optional(texts),
        orModule: v.optional(text),
      },
      'an object with module and package',
    ),
  ),
  queues: v.optional(
    v.strictObject(
      {
        library: text,
        option: v.optional(text),
        unless: v.optional(texts),
        broker: v.optional(text),
        schedulesUnless: v.optional(text),
      },
      'an object with library',
    ),
  ),
  node: v.optional(v.strictObject({ package: text, program: v.optional(text) }, 'an object with package')),
  options: v.optional(optional(grammar)),
  parser: v.optional(text),
  files: v.optional(optional({ reads: texts, writes: texts, owns: texts })),
  addons: v.optional(v.record(text, v.record(text, addon, 'an object of values'), 'an object of options')),
  defaults: v.optional(values),
  variants: v.optional(
    v.record(text, v.record(text, v.looseObject({}, 'an object'), 'an object of values'), 'an object of options'),
  ),
  example: v.optional(values),
  command: method,
  inherit: v.optional(method),
  inheritSince: v.optional(text),
  listen: v.optional(method),
  workers: v.optional(method),
  ready: v.optional(optional({ http: text, log: text, delay: milliseconds })),
  stop: v.optional(
    optional({
      signal: oneOf(['TERM', 'INT', 'QUIT']),
      timeoutMs: milliseconds,
      signalOption: text,
      grace: v.strictObject({ option: text, unitMs: v.number() }),
    }),
  ),
  schedulesWith: v.optional(text),
  reload: v.optional(oneOf(['rolling', 'signal', 'restart'])),
  restartReason: v.optional(text),
  notTwice: v.optional(texts),
}

const schema = v.strictObject(members, 'an object')

/** The members of a backend that are checked: all that there are. */
export const BACKEND_MEMBERS = Object.keys(members) as readonly (keyof typeof members)[]

/** What is wrong with a value that should be a backend, a sentence without its full stop for each; none for one that is. */
export function backendFaults(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`it is ${describe(value)}, not an object`]
  return (v.safeParse(schema, value).issues ?? []).map(explain)
}

function explain(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map((item) => String(item.key))
  const name = path.join('.')
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const near = path.length === 1 ? nearest(name, BACKEND_MEMBERS) : undefined
    return `${name} is not known${near ? `, ${near} is` : ''}`
  }
  if (issue.input === undefined) return `${name} is missing`
  return `${name} must be ${issue.message}, not ${describe(issue.input)}`
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number')
    return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
