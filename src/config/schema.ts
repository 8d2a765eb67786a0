import * as v from 'valibot'
import { isDictionary } from '../core/values.ts'
import { DURATION, parseDurationMs, parseSizeBytes, SIZE } from '../core/units.ts'

/**
 * The shape of one declared process. Types, validation, the reference page and the JSON Schema all come from here.
 *
 * Keys are in the spelling of the typed config; Django settings write the same in upper case (`dependsOn` is
 * `DEPENDS_ON`), and snake case inside (`maxDelay` is `max_delay`).
 */

/**
 * Text or a number that is converted once, here; what cannot be is refused with the same words. What only code checks is
 * told to JSON Schema, from which other descriptions of the declaration are made as well.
 */
const converted = (convert: (value: string | number) => number | undefined, message: string, pattern: RegExp) =>
  v.pipe(
    v.union([v.string(), v.number()], message),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const result = convert(dataset.value)
      if (result !== undefined) return result
      addIssue({ message })
      return NEVER
    }),
    v.metadata({ json: { pattern: pattern.source, minimum: 0 } }),
  )

const duration = converted(parseDurationMs, 'a duration, such as "30s", "5m" or a number of seconds', DURATION)
const size = converted(parseSizeBytes, 'a size, such as "512M" or a number of bytes', SIZE)
const text = v.string('a string')
const nonEmptyText = v.pipe(v.string('a string'), v.nonEmpty('a string that is not empty'))
const textOrNumber = v.union([v.string(), v.number()], 'a string or a number')
const count = v.pipe(v.number('a whole number'), v.integer('a whole number'), v.minValue(1, 'at least 1'))
const texts = v.pipe(
  v.union([v.string(), v.array(text)], 'a string or a list of strings'),
  v.transform((value): readonly string[] => (typeof value === 'string' ? [value] : value)),
)
const oneOf = <const T extends readonly string[]>(...options: T) =>
  v.picklist(options, `one of ${options.map((option) => JSON.stringify(option)).join(', ')}`)
const matching = (pattern: RegExp, what: string) => v.pipe(v.string(what), v.regex(pattern, what))
const signal = v.pipe(
  matching(/^(SIG)?(TERM|INT|QUIT|HUP|USR1|USR2|KILL)$/, 'a signal: TERM, INT, QUIT, HUP, USR1, USR2 or KILL'),
  v.transform((name) => name.replace(/^SIG/, '')),
)

/** A schema for dictionaries only: by itself it would take a list, or what JSON cannot carry, for one. */
const dictionary = <S extends v.GenericSchema>(schema: S, what: string) =>
  v.lazy((input): S => (isDictionary(input) ? schema : (v.never(what) as never)))

/** The schema for a dictionary and the one for all else, so that what is wrong inside is said of the inside. */
const dictionaryOr = <D extends v.GenericSchema, E extends v.GenericSchema>(inside: D, otherwise: E) =>
  v.lazy((input): v.GenericSchema<v.InferInput<D> | v.InferInput<E>, v.InferOutput<D> | v.InferOutput<E>> =>
    isDictionary(input) ? inside : otherwise,
  )

export const PROBE_KINDS = ['http', 'tcp', 'exec', 'log', 'delay', 'notify'] as const
const PROBE = 'a dictionary with exactly one of http, tcp, exec, log, delay or notify'

const probeEntries = {
  http: v.optional(matching(/^(\/|https?:)/, 'a path such as "/health/", or a URL')),
  tcp: v.optional(textOrNumber),
  exec: v.optional(texts),
  log: v.optional(text),
  delay: v.optional(duration),
  notify: v.optional(v.literal(true, 'True')),
  interval: v.optional(duration),
  timeout: v.optional(duration),
  failures: v.optional(count),
}

const probe = dictionary(
  v.pipe(
    v.strictObject(probeEntries),
    v.check((value) => PROBE_KINDS.filter((kind) => value[kind] !== undefined).length === 1, PROBE),
    v.metadata({ json: { oneOf: PROBE_KINDS.map((kind) => ({ required: [kind] })) } }),
  ),
  PROBE,
)

const policy = ['always', 'on-failure', 'never'] as const

const restartEntries = {
  policy: v.optional(oneOf(...policy), 'always'),
  delay: v.optional(duration),
  maxDelay: v.optional(duration),
  limit: v.optional(count),
  window: v.optional(duration),
}

const restart = dictionaryOr(
  v.strictObject(restartEntries),
  v.picklist(
    policy,
    '"always", "on-failure", "never", or a dictionary with policy, delay, max_delay, limit and window',
  ),
)

const stopEntries = { signal: v.optional(signal), timeout: v.optional(duration) }
const logEntries = {
  maxSize: v.optional(size),
  keep: v.optional(count),
  compress: v.optional(v.boolean('True or False')),
}

const dependsOn = v.pipe(
  dictionaryOr(
    v.record(text, oneOf('started', 'ready', 'completed')),
    v.union(
      [v.string(), v.array(text)],
      'a name, a list of names, or a dictionary of name to "started", "ready" or "completed"',
    ),
  ),
  v.transform((value): Readonly<Record<string, 'started' | 'ready' | 'completed'>> => {
    if (typeof value === 'string') return { [value]: 'ready' }
    return Array.isArray(value) ? Object.fromEntries(value.map((name) => [name, 'ready' as const])) : value
  }),
)

/** A key with its line of documentation, and the default shown there where there is one. */
/** What `args` may have in it, for JSON Schema. */
const OPTION_VALUE = {
  anyOf: [{ type: ['string', 'number', 'boolean', 'null'] }, { type: 'array', items: { type: ['string', 'number'] } }],
} as const

const key = <S extends v.GenericSchema>(schema: S, description: string, shownDefault = '') =>
  v.optional(v.pipe(schema, v.description(description), v.metadata({ default: shownDefault })))

export const processSchema = v.strictObject({
  backend: v.pipe(
    v.string('a string'),
    v.nonEmpty('the import path or the short name of a backend'),
    v.description(
      'What runs: the import path of a backend, its short name, a Python class of your own, or a TypeScript or JavaScript module. The only key that must be there.',
    ),
    v.metadata({ default: '' }),
  ),
  app: key(
    nonEmptyText,
    'What to run, for backends that need telling: the Celery app, a Node script, a management command, a program.',
  ),
  // Checked where it is translated: the message is the original's.
  args: key(
    v.pipe(v.unknown(), v.metadata({ json: { type: ['object', 'null'], additionalProperties: OPTION_VALUE } })),
    'Options of the server, a dictionary.',
  ),
  env: key(
    dictionary(
      v.record(text, v.nullable(v.union([v.string(), v.number(), v.boolean()], 'a string, a number or None'))),
      'a dictionary',
    ),
    'Extra environment. `None` removes a variable.',
  ),
  envFile: key(
    texts,
    'dotenv files, relative to the project. The first that has a key wins, the real environment wins over all.',
  ),
  cwd: key(nonEmptyText, 'Working directory, relative to the project.', "the project's root"),
  instances: key(
    v.union([count, oneOf('cpu')], 'a whole number of at least 1, or "cpu"'),
    'How many copies to run.',
    '1',
  ),
  run: key(
    oneOf('always', 'once', 'release'),
    '`always`: a service. `once`: to completion at each `up`. `release`: to completion once per release.',
    'always',
  ),
  dependsOn: key(
    dependsOn,
    'Names of processes that must be ready first, or name to condition: `started`, `ready`, `completed`.',
  ),
  ready: key(
    probe,
    'When it counts as ready: `http`, `tcp`, `exec`, `log`, `delay` or `notify`, with `interval`, `timeout` and `failures`.',
    "the backend's",
  ),
  alive: key(probe, 'A probe that must go on passing, in the same form.'),
  restart: key(
    restart,
    'When to start it again: `always`, `on-failure`, `never`, or a dictionary with `policy`, `delay`, `max_delay`, `limit`, `window`.',
    'always',
  ),
  stop: key(
    dictionary(v.strictObject(stopEntries), 'a dictionary with signal and timeout'),
    'The `signal` that asks it to stop, and the `timeout` after which it is killed.',
    "the backend's",
  ),
  reload: key(oneOf('auto', 'rolling', 'signal', 'restart'), 'How new code gets in.', 'auto'),
  memoryLimit: key(size, 'Replace an instance gracefully when its whole process tree is larger.'),
  schedule: key(
    matching(/^(@(yearly|monthly|weekly|daily|hourly)|\S+(\s+\S+){4,5})$/, 'a cron expression of five or six fields'),
    'A cron expression: run to completion at those times, never twice at once.',
  ),
  tz: key(nonEmptyText, 'Time zone of `SCHEDULE`.', 'UTC'),
  user: key(textOrNumber, 'User to run as.'),
  group: key(textOrNumber, 'Group to run as.'),
  // Not a number: 0o027 comes as 23, and 27 was hardly meant as such.
  umask: key(matching(/^[0-7]{1,4}$/, 'an octal number as a string, such as "027"'), 'File mode mask, octal: `"027"`.'),
  nice: key(
    v.pipe(
      v.number('a number'),
      v.integer('a whole number'),
      v.minValue(-20, 'at least -20'),
      v.maxValue(19, 'at most 19'),
    ),
    'Scheduling priority.',
  ),
  limits: key(
    dictionary(v.record(text, textOrNumber), 'a dictionary, such as {"nofile": 65536}'),
    'Resource limits: `{"nofile": 65536}`.',
  ),
  log: key(
    dictionary(v.strictObject(logEntries), 'a dictionary with max_size, keep and compress'),
    'Log files: `max_size`, `keep`, `compress`.',
  ),
  enabled: key(v.boolean('True or False'), 'False: it is declared, and nothing starts it.', 'True'),
})

/** One declaration as a person writes it in a typed config. */
export type ProcessInput = v.InferInput<typeof processSchema>
/** One declaration, checked and normalised: durations in milliseconds, sizes in bytes. */
export type ProcessOptions = v.InferOutput<typeof processSchema>
export type ProcessKey = keyof ProcessOptions

export const PROCESS_KEYS = Object.keys(processSchema.entries) as readonly ProcessKey[]

/** What the dictionary of a key may have in it; of the others the keys are the user's own. */
export const INNER_KEYS: Readonly<Partial<Record<string, readonly string[]>>> = {
  ready: Object.keys(probeEntries),
  alive: Object.keys(probeEntries),
  restart: Object.keys(restartEntries),
  stop: Object.keys(stopEntries),
  log: Object.keys(logEntries),
}
