import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../core/types.ts'
import { type Declarations, parseDeclarations } from './declarations.ts'

const parse = (processes: Json | undefined, defaults?: Json, order?: readonly string[]): Declarations =>
  parseDeclarations({
    processes,
    defaults,
    order: order ?? (processes && typeof processes === 'object' ? Object.keys(processes) : []),
    settingsModule: 'mysite.settings',
  })

/** The only declaration, of a gunicorn with more keys. */
function parseWeb(keys: { readonly [key: string]: Json }, defaults?: Json) {
  const { declarations, problems } = parse({ web: { BACKEND: 'gunicorn', ...keys } }, defaults)
  assert.deepEqual(problems, [])
  assert.equal(declarations.length, 1)
  const {
    name,
    place,
    wrong,
    origin,
    placeOf,
    writtenAt: _writtenAt,
    overrides,
    spelling: _spelling,
    ...options
  } = declarations[0]!
  const expected = { name: 'web', place: 'PRODUCTION_PROCESSES["web"]', wrong: [], overrides: [] }
  assert.deepEqual({ name, place, wrong, overrides }, expected)
  return { options, origin, placeOf }
}

const normalised: readonly (readonly [keys: { readonly [key: string]: Json }, options: object])[] = [
  [{}, {}],
  [{ APP: 'mysite.celery.app' }, { app: 'mysite.celery.app' }],
  [{ ARGS: { 'Any-Key': { deep: [] } } }, { args: { 'Any-Key': { deep: [] } } }],
  [
    { ENV: { UPPER_CASE: 'a', lower_case: 2, Flag: true, GONE: null } },
    { env: { UPPER_CASE: 'a', lower_case: 2, Flag: true, GONE: null } },
  ],
  [{ ENV_FILE: '.env' }, { envFile: ['.env'] }],
  [{ ENV_FILE: ['.env', 'more.env'] }, { envFile: ['.env', 'more.env'] }],
  [{ DEPENDS_ON: 'some_db' }, { dependsOn: { some_db: 'ready' } }],
  [{ DEPENDS_ON: ['a', 'b'] }, { dependsOn: { a: 'ready', b: 'ready' } }],
  [{ DEPENDS_ON: { some_db: 'started' } }, { dependsOn: { some_db: 'started' } }],
  [{ STOP: { signal: 'SIGINT', timeout: '1m' } }, { stop: { signal: 'INT', timeout: 60_000 } }],
  [{ STOP: { signal: 'TERM', timeout: 2 } }, { stop: { signal: 'TERM', timeout: 2000 } }],
  [{ READY: { http: '/health/', interval: '500ms' } }, { ready: { http: '/health/', interval: 500 } }],
  [{ READY: { exec: 'true' } }, { ready: { exec: ['true'] } }],
  [{ ALIVE: { tcp: 8000, failures: 5 } }, { alive: { tcp: 8000, failures: 5 } }],
  [{ RESTART: 'never' }, { restart: 'never' }],
  [{ RESTART: { max_delay: '1m', limit: 3 } }, { restart: { policy: 'always', maxDelay: 60_000, limit: 3 } }],
  [{ MEMORY_LIMIT: '512M' }, { memoryLimit: 536_870_912 }],
  [{ LOG: { max_size: '1M', keep: 3, compress: false } }, { log: { maxSize: 1_048_576, keep: 3, compress: false } }],
  [{ INSTANCES: 'cpu' }, { instances: 'cpu' }],
  [
    { INSTANCES: 3, ENABLED: false, RUN: 'once', NICE: -5 },
    { instances: 3, enabled: false, run: 'once', nice: -5 },
  ],
  [
    { SCHEDULE: '*/5 * * * *', TZ: 'Europe/Berlin' },
    { schedule: '*/5 * * * *', tz: 'Europe/Berlin' },
  ],
  [
    { LIMITS: { nofile: 65_536, CORE: '0' }, UMASK: '027' },
    { limits: { nofile: 65_536, CORE: '0' }, umask: '027' },
  ],
]

for (const [keys, options] of normalised) {
  test(`${JSON.stringify(keys)} is declared`, () => {
    assert.deepEqual(parseWeb(keys).options, { backend: 'gunicorn', ...options })
  })
}

test('a key of the process takes the place of the whole default, and each value knows where it was written', () => {
  const defaults = { ENV: { A: 'a', B: 'b' }, CWD: 'var', STOP: { timeout: 5 }, BACKEND: 'waitress' }
  const { options, origin, placeOf } = parseWeb({ ENV: { C: 'c' } }, defaults)
  assert.deepEqual(options, { backend: 'gunicorn', env: { C: 'c' }, cwd: 'var', stop: { timeout: 5000 } })
  assert.deepEqual(origin, {
    backend: 'PRODUCTION_PROCESSES["web"]["BACKEND"]',
    env: 'PRODUCTION_PROCESSES["web"]["ENV"]',
    cwd: 'PRODUCTION_PROCESS_DEFAULTS["CWD"]',
    stop: 'PRODUCTION_PROCESS_DEFAULTS["STOP"]',
  })
  assert.equal(placeOf('env', 'C'), 'PRODUCTION_PROCESSES["web"]["ENV"]["C"]')
  assert.equal(placeOf('stop', 'timeout'), 'PRODUCTION_PROCESS_DEFAULTS["STOP"]["timeout"]')
  assert.equal(placeOf('dependsOn'), 'PRODUCTION_PROCESSES["web"]["DEPENDS_ON"]')
})

test('a default may be the BACKEND of all', () => {
  const { declarations, problems } = parse({ a: {}, b: {} }, { BACKEND: 'gunicorn' })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    declarations.map(({ backend }) => backend),
    ['gunicorn', 'gunicorn'],
  )
})

test('processes are in the order in which they were declared, names that look like numbers too', () => {
  const web = { BACKEND: 'gunicorn' }
  const { names, declarations } = parse({ 2: web, b: web, 1: web }, undefined, ['b', '2', '1'])
  assert.deepEqual(names, ['b', '2', '1'])
  assert.deepEqual(
    declarations.map(({ name }) => name),
    ['b', '2', '1'],
  )
})

const odd = (type: string, repr: string): Json => ({ __python__: type, repr })

interface Told {
  readonly id: string
  readonly place: string
  readonly message: string
}

const told = ({ problems }: Declarations): Told[] => problems.map(({ id, place, message }) => ({ id, place, message }))

const mistakes: readonly (readonly [
  keys: { readonly [key: string]: Json },
  id: string,
  place: string,
  message: string,
])[] = [
  [{ ARG: {} }, 'E106', '["ARG"]', 'A process has no key "ARG".'],
  [{ app: 'x' }, 'E106', '["app"]', 'A process has no key "app".'],
  [{ dependsOn: 'x' }, 'E106', '["dependsOn"]', 'A process has no key "dependsOn".'],
  [{ 1: odd('key', '1') }, 'E106', '[1]', 'A process has no key "1".'],
  [{ STOP: { tiemout: 3 } }, 'E106', '["STOP"]["tiemout"]', 'STOP has no key "tiemout".'],
  [{ RESTART: { max_dealy: 3 } }, 'E106', '["RESTART"]["max_dealy"]', 'RESTART has no key "max_dealy".'],
  [{ APP: '' }, 'E107', '["APP"]', 'APP must be a string that is not empty, not "".'],
  [{ STOP: [] }, 'E107', '["STOP"]', 'STOP must be a dictionary with signal and timeout, not a list.'],
  [
    { STOP: odd('function', 'f') },
    'E107',
    '["STOP"]',
    'STOP must be a dictionary with signal and timeout, not a function (f).',
  ],
  [
    { STOP: { timeout: true } },
    'E107',
    '["STOP"]["timeout"]',
    'STOP["timeout"] must be a duration, such as "30s", "5m" or a number of seconds, not True.',
  ],
  [
    { LOG: { max_size: 'x' } },
    'E107',
    '["LOG"]["max_size"]',
    'LOG["max_size"] must be a size, such as "512M" or a number of bytes, not "x".',
  ],
  [
    { READY: {} },
    'E107',
    '["READY"]',
    'READY must be a dictionary with exactly one of http, tcp, exec, log, delay or notify.',
  ],
  [
    { READY: { http: '/', tcp: 1 } },
    'E107',
    '["READY"]',
    'READY must be a dictionary with exactly one of http, tcp, exec, log, delay or notify.',
  ],
  [{ ENV: ['A=b'] }, 'E107', '["ENV"]', 'ENV must be a dictionary, not a list.'],
  [
    { ENV: { Some_Name: [] } },
    'E107',
    '["ENV"]["Some_Name"]',
    'ENV["Some_Name"] must be a string, a number or None, not a list.',
  ],
  [{ ENV: { 1: odd('key', '1') } }, 'E107', '["ENV"][1]', 'A key of ENV must be a string, not 1.'],
  [
    { ENV: { API_TOKEN: odd('bytes', "b'x'") } },
    'E107',
    '["ENV"]["API_TOKEN"]',
    'ENV["API_TOKEN"] must be a string, a number or None.',
  ],
  [{ INSTANCES: 0 }, 'E107', '["INSTANCES"]', 'INSTANCES must be at least 1, not 0.'],
  [{ UMASK: '999' }, 'E107', '["UMASK"]', 'UMASK must be an octal number as a string, such as "027", not "999".'],
  [{ CWD: '' }, 'E107', '["CWD"]', 'CWD must be a string that is not empty, not "".'],
  [
    { SCHEDULE: 'x'.repeat(99) },
    'E107',
    '["SCHEDULE"]',
    `SCHEDULE must be a cron expression of five or six fields, not "${'x'.repeat(60)}…".`,
  ],
]

for (const [keys, id, place, message] of mistakes) {
  test(`${JSON.stringify(keys)} is refused: ${message}`, () => {
    const result = parse({ web: { BACKEND: 'gunicorn', ...keys } })
    assert.deepEqual(told(result), [{ id, place: `PRODUCTION_PROCESSES["web"]${place}`, message }])
    assert.deepEqual(
      result.problems.map(({ process }) => process),
      ['web'],
    )
  })
}

test('what is wrong is left out of the declaration, and named', () => {
  const { declarations } = parse({ web: { BACKEND: 'gunicorn', CWD: 'var', STOP: { timeout: 'x' }, ARG: 1 } })
  assert.deepEqual(
    declarations.map(({ backend, cwd, stop, wrong }) => ({ backend, cwd, stop, wrong })),
    [{ backend: 'gunicorn', cwd: 'var', stop: undefined, wrong: ['stop', 'arg'] }],
  )
})

test('without a usable BACKEND there is no declaration, and all that is wrong is told', () => {
  const result = parse({ web: { CWD: '' }, api: { BACKEND: 3 }, worker: { backend: 'gunicorn' } })
  assert.deepEqual(result.declarations, [])
  assert.deepEqual(
    told(result).map(({ id, place }) => `${id} ${place}`),
    [
      'E201 PRODUCTION_PROCESSES["web"]',
      'E107 PRODUCTION_PROCESSES["web"]["CWD"]',
      'E107 PRODUCTION_PROCESSES["api"]["BACKEND"]',
      'E106 PRODUCTION_PROCESSES["worker"]["backend"]',
    ],
  )
})

const names: readonly (readonly [name: string, usable: boolean])[] = [
  ['web', true],
  ['web-2', true],
  ['web_2.eu', true],
  ['2', true],
  ['żółw', true],
  ['priority worker', true],
  ['', false],
  ['-web', false],
  ['.web', false],
  ['../web', false],
  ['a/b', false],
  ['a\nb', false],
  ['a"b', false],
  ['@worker', false],
]

for (const [name, usable] of names) {
  test(`${JSON.stringify(name)} ${usable ? 'can' : 'cannot'} be the name of a process`, () => {
    const ids = parse({ [name]: { BACKEND: 'gunicorn' } }).problems.map(({ id }) => id)
    assert.deepEqual(ids, usable ? [] : ['E105'])
  })
}

test('a process cannot have the name of an instance of another one', () => {
  const web = { BACKEND: 'gunicorn' }
  assert.deepEqual(
    parse({ web, 'web.1': web, 'other.1': web }).problems.map(({ id, place }) => `${id} ${place}`),
    ['E105 PRODUCTION_PROCESSES["web.1"]'],
  )
})

test('a process that is none is refused by itself', () => {
  const result = parse({ a: null, b: 'gunicorn', c: [], d: odd('function', 'f'), e: { BACKEND: 'gunicorn' } })
  assert.deepEqual(
    told(result).map(({ id, message }) => `${id} ${message}`),
    ['None', 'a string', 'a list', 'a function (f)'].map((what) => `E105 A process must be a dictionary, not ${what}.`),
  )
  assert.deepEqual(
    result.declarations.map(({ name }) => name),
    ['e'],
  )
})

test('what is wrong in the defaults is told once, and of no process', () => {
  const web = { BACKEND: 'gunicorn' }
  const result = parse({ a: web, b: web }, { ARG: 1, CWD: '' })
  assert.deepEqual(
    result.problems.map(({ id, place, process }) => ({ id, place, process })),
    [
      { id: 'E107', place: 'PRODUCTION_PROCESS_DEFAULTS["CWD"]', process: undefined },
      { id: 'E106', place: 'PRODUCTION_PROCESS_DEFAULTS["ARG"]', process: undefined },
    ],
  )
})

const settings: readonly (readonly [processes: Json | undefined, id: string, message: string])[] = [
  [undefined, 'E101', 'PRODUCTION_PROCESSES setting not found.'],
  [null, 'E102', 'PRODUCTION_PROCESSES must be a dictionary of process names, not None.'],
  [[], 'E102', 'PRODUCTION_PROCESSES must be a dictionary of process names, not a list.'],
  [odd('function', 'f'), 'E102', 'PRODUCTION_PROCESSES must be a dictionary of process names, not a function (f).'],
  [{}, 'E103', 'PRODUCTION_PROCESSES is empty.'],
]

for (const [processes, id, message] of settings) {
  test(`a setting that is ${JSON.stringify(processes)} is refused as a whole`, () => {
    const result = parse(processes, undefined, [])
    assert.deepEqual([result.problems[0]?.id, result.problems[0]?.message, result.problems.length], [id, message, 1])
    assert.deepEqual([result.declarations, result.names], [[], []])
  })
}
