import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../../test/support/environment.ts'
import type { Env, Json } from '../core/types.ts'
import { parseDeclarations } from './declarations.ts'
import { OWN_VARIABLES } from './override-names.ts'
import { parseValue } from './overrides.ts'
import { splitSet } from './set-text.ts'

const values: readonly (readonly [text: string, value: Json | undefined])[] = [
  ['8', 8],
  ['-1.5', -1.5],
  ['0', 0],
  ['"8"', '8'],
  ['"', '"'],
  ['"a" or "b"', '"a" or "b"'],
  ['1.10', '1.10'],
  ['007', '007'],
  ['1e3', '1e3'],
  ['12345678901234567890', '12345678901234567890'],
  ['Infinity', 'Infinity'],
  ['true', true],
  ['False', false],
  ['null', undefined],
  ['None', undefined],
  ['"null"', 'null'],
  ['', ''],
  [' ', ' '],
  ['a=b', 'a=b'],
  ['["a", 1]', ['a', 1]],
  ['{"http": "/"}', { http: '/' }],
  ['[::]:8000', '[::]:8000'],
  ['{host}', '{host}'],
]

for (const [text, value] of values) {
  test(`the text ${text || 'of no letters'} is the value ${JSON.stringify(value)}`, () => {
    assert.deepEqual(parseValue(text), value)
  })
}

for (const [text, value] of [
  ['8', '8'],
  ['true', 'true'],
  ['{"a": 1}', '{"a": 1}'],
  ['"quoted"', 'quoted'],
  ['None', 'None'],
  ['null', null],
  ['"null"', 'null'],
] as const) {
  test(`the text ${text} is ${JSON.stringify(value)} in an environment`, () => {
    assert.deepEqual(parseValue(text, true), value)
  })
}

const paths: readonly (readonly [text: string, segments: readonly string[] | undefined, value?: string])[] = [
  ['web.ARGS.workers=8', ['web', 'ARGS', 'workers'], '8'],
  ['web.ENV.URL=a=b.c', ['web', 'ENV', 'URL'], 'a=b.c'],
  ['web.ARGS.name=', ['web', 'ARGS', 'name'], ''],
  ['web.APP=two\nlines', ['web', 'APP'], 'two\nlines'],
  ['"a.b=\\"c".APP=x', ['a.b="c', 'APP'], 'x'],
  ['web=8', undefined],
  ['web.ARGS', undefined],
  ['web..ARGS=8', undefined],
  ['.web.ARGS=8', undefined],
  ['web.ARGS.=8', undefined],
  ['"web.ARGS=8', undefined],
  ['=8', undefined],
]

for (const [text, segments, value] of paths) {
  test(`--set ${JSON.stringify(text)} is ${segments ? `about ${segments.join(', ')}` : 'refused'}`, () => {
    const parts = splitSet(text)
    assert.deepEqual([parts?.segments, parts?.value], [segments, value])
  })
}

const PROCESSES: Readonly<Record<string, { readonly [key: string]: Json }>> = {
  web: {
    BACKEND: 'gunicorn',
    ARGS: { max_requests: 100, bind: 'a:1' },
    ENV: { mixedCase: 'a', PLAIN: 'b' },
    RESTART: 'on-failure',
    READY: { tcp: 8000, interval: 2 },
    STOP: { signal: 'INT' },
    DEPENDS_ON: ['my-db', 'cache'],
  },
  'my-db': { BACKEND: 'command', APP: 'db' },
  my: { BACKEND: 'command', APP: 'my' },
  cache: { BACKEND: 'command', APP: 'cache' },
  'a.b': { BACKEND: 'command', APP: 'a' },
  state: { BACKEND: 'command', APP: 'a' },
}

function parse(set: readonly string[], env: Env = {}, defaults?: Json) {
  return parseDeclarations({
    processes: PROCESSES,
    defaults,
    order: Object.keys(PROCESSES),
    settingsModule: 'mysite.settings',
    overrides: { set, env },
  })
}

/** What the overrides change of a process, by its keys. */
function changed(name: string, set: readonly string[], env: Env = {}): Readonly<Record<string, unknown>> {
  const [before, { declarations, problems, unknownVariables }] = [parse([]), parse(set, env)]
  assert.deepEqual([problems, unknownVariables], [[], []])
  const [old = {}, now = {}]: readonly Readonly<Record<string, unknown>>[] = [before.declarations, declarations].map(
    (all) => {
      const found = all.find((declaration) => declaration.name === name)
      const { overrides: _o, origin: _p, placeOf: _q, writtenAt: _r, ...options } = found!
      return options
    },
  )
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  return Object.fromEntries(
    keys.filter((key) => JSON.stringify(old[key]) !== JSON.stringify(now[key])).map((key) => [key, now[key]]),
  )
}

const ARGS = { max_requests: 100, bind: 'a:1' }

const overrides: readonly (readonly [name: string, set: readonly string[], changes: object])[] = [
  ['web', ['web.ARGS.workers=8'], { args: { ...ARGS, workers: 8 } }],
  ['web', ['web.args.max-requests=5'], { args: { ...ARGS, max_requests: 5 } }],
  ['web', ['web.ARGS.bind=null'], { args: { max_requests: 100 } }],
  ['web', ['web.ARGS.name='], { args: { ...ARGS, name: '' } }],
  ['web', ['web.ARGS={"w": 1}', 'web.ARGS.x.y=2'], { args: { w: 1, 'x.y': 2 } }],
  ['web', ['web.ARGS=null'], { args: undefined }],
  ['web', ['web.ENV.mixedcase=1'], { env: { mixedCase: 'a', PLAIN: 'b', mixedcase: '1' } }],
  ['web', ['web.ENV.PLAIN=null'], { env: { mixedCase: 'a', PLAIN: null } }],
  ['web', ['web.memory_limit=1M'], { memoryLimit: 1_048_576 }],
  ['web', ['web.memoryLimit="1M"'], { memoryLimit: 1_048_576 }],
  ['web', ['web.RESTART.limit=3'], { restart: { policy: 'on-failure', limit: 3 } }],
  ['web', ['web.RESTART.maxDelay=3'], { restart: { policy: 'on-failure', maxDelay: 3000 } }],
  ['web', ['web.RESTART={"max-delay": 3}'], { restart: { policy: 'always', maxDelay: 3000 } }],
  ['web', ['web.READY.http=/health/'], { ready: { interval: 2000, http: '/health/' } }],
  ['web', ['web.STOP.signal=null'], { stop: undefined }],
  ['web', ['web.DEPENDS_ON.my-db=started'], { dependsOn: { 'my-db': 'started', cache: 'ready' } }],
  ['web', ['web.DEPENDS_ON.cache=null'], { dependsOn: { 'my-db': 'ready' } }],
  ['web', ['web.LIMITS.nofile=9'], { limits: { nofile: 9 } }],
  ['web', ['web.UMASK="027"', 'web.ENABLED=False'], { umask: '027', enabled: false }],
  ['web', ['web.UMASK=27', 'web.CWD=2026', 'web.APP=null'], { cwd: '2026', umask: '27' }],
  ['a.b', ['a.b.APP=c'], { app: 'c' }],
  ['a.b', ['"a.b".APP=c'], { app: 'c' }],
]

for (const [name, set, changes] of overrides) {
  test(`--set ${set.join(' --set ')} takes effect`, () => {
    assert.deepEqual(changed(name, set), changes)
  })
}

const variables: readonly (readonly [name: string, env: Env, changes: object])[] = [
  ['web', { PRODSERVER_WEB_ARGS_WORKERS: '8' }, { args: { ...ARGS, workers: 8 } }],
  ['web', { PRODSERVER_WEB_ARGS_MAX_REQUESTS: '5' }, { args: { ...ARGS, max_requests: 5 } }],
  ['web', { PRODSERVER_WEB_ARGS_MAX_REQUESTS_JITTER: '5' }, { args: { ...ARGS, 'max-requests-jitter': 5 } }],
  ['web', { PRODSERVER_WEB_ARGS_BIND: '' }, {}],
  ['web', { PRODSERVER_WEB_ARGS_BIND: 'null' }, { args: { max_requests: 100 } }],
  ['web', { PRODSERVER_WEB_ENV_MIXEDCASE: '7' }, { env: { mixedCase: '7', PLAIN: 'b' } }],
  ['web', { PRODSERVER_WEB_ENV_API_URL: 'x' }, { env: { mixedCase: 'a', PLAIN: 'b', API_URL: 'x' } }],
  ['web', { PRODSERVER_WEB_ENV_FILE: '.env' }, { envFile: ['.env'] }],
  ['web', { PRODSERVER_WEB_STOP_TIMEOUT: '9s' }, { stop: { signal: 'INT', timeout: 9000 } }],
  ['web', { PRODSERVER_WEB_RESTART_MAX_DELAY: '9s' }, { restart: { policy: 'on-failure', maxDelay: 9000 } }],
  ['web', { PRODSERVER_WEB_DEPENDS_ON_MY_DB: 'started' }, { dependsOn: { 'my-db': 'started', cache: 'ready' } }],
  ['web', { PRODSERVER_WEB_LIMITS_NOFILE: '9' }, { limits: { nofile: 9 } }],
  ['my-db', { PRODSERVER_MY_DB_APP: 'x' }, { app: 'x' }],
  ['a.b', { PRODSERVER_A_B_APP: 'x' }, { app: 'x' }],
  ['state', { PRODSERVER_STATE_DIR: '/x', PRODSERVER_STATE_APP: 'x' }, { app: 'x' }],
]

for (const [name, env, changes] of variables) {
  test(`${Object.keys(env).join(', ')}=${Object.values(env).at(-1)} takes effect`, () => {
    assert.deepEqual(changed(name, [], env), changes)
  })
}

test('the command line wins over the environment, and each value knows where it was given', () => {
  const env = { PRODSERVER_WEB_ARGS_WORKERS: '4', PRODSERVER_WEB_STOP_TIMEOUT: '5' }
  const { declarations } = parse(['web.ARGS.workers=8', 'web.ARGS.workers=9'], env, { ENV: { A: '1' } })
  const { args, placeOf } = declarations[0]!
  assert.deepEqual(args, { ...ARGS, workers: 9 })
  assert.deepEqual(
    [
      placeOf('args', 'workers'),
      placeOf('args', 'bind'),
      placeOf('args'),
      placeOf('stop', 'timeout'),
      placeOf('stop', 'signal'),
    ],
    [
      '--set web.ARGS.workers',
      'PRODUCTION_PROCESSES["web"]["ARGS"]["bind"]',
      'PRODUCTION_PROCESSES["web"]["ARGS"]',
      'PRODSERVER_WEB_STOP_TIMEOUT',
      'PRODUCTION_PROCESSES["web"]["STOP"]["signal"]',
    ],
  )
})

test('what a config file declares is overridden in the same words', () => {
  const processes = { front: { backend: 'node', app: 'server.mjs', stop: { timeout: 5 } } }
  const { declarations, problems } = parseDeclarations({
    processes: undefined,
    defaults: undefined,
    order: ['front'],
    settingsModule: '',
    config: { file: '/srv/shop/prodserver.config.ts', value: { processes } },
    overrides: { set: ['front.STOP.signal=INT', 'fornt.app=x'], env: { PRODSERVER_FRONT_STOP_TIMEOUT: '9' } },
  })
  assert.deepEqual(declarations[0]?.stop, { signal: 'INT', timeout: 9000 })
  assert.equal(declarations[0].placeOf('stop', 'timeout'), 'PRODSERVER_FRONT_STOP_TIMEOUT')
  assert.deepEqual(problems, [
    {
      id: 'E104',
      place: '--set fornt.app',
      message: "Process 'fornt' not found in prodserver.config.ts.",
      hint: 'Did you mean front?',
    },
  ])
})

test('what could mean two things is refused', () => {
  const processes = {
    'web-1': { BACKEND: 'gunicorn', ARGS: { 'a-b': 1, a_b: 2 } },
    web_1: { BACKEND: 'gunicorn' },
    web: { BACKEND: 'gunicorn' },
    'web.ARGS': { BACKEND: 'gunicorn' },
  }
  const overrides = {
    set: ['web.ARGS.ENV.X=1', 'web-1.ARGS.a-b=1'],
    env: { PRODSERVER_WEB_1_STOP_TIMEOUT: '5', PRODSERVER_WEB_ARGS_ENV_X: '1' },
  }
  const { problems } = parseDeclarations({
    processes,
    defaults: undefined,
    order: Object.keys(processes),
    settingsModule: 'mysite.settings',
    overrides,
  })
  assert.deepEqual(
    problems.map(({ id, place, message, hint }) => [id, place, message, hint]),
    [
      [
        'E112',
        'PRODSERVER_WEB_1_STOP_TIMEOUT',
        'This can mean web-1.STOP.timeout or web_1.STOP.timeout.',
        "Write: --set 'web-1.STOP.timeout=VALUE'",
      ],
      [
        'E112',
        'PRODSERVER_WEB_ARGS_ENV_X',
        'This can mean web.ARGS.env-x or "web.ARGS".ENV.X.',
        "Write: --set 'web.ARGS.env-x=VALUE'",
      ],
      [
        'E112',
        '--set web.ARGS.ENV.X',
        'This can mean web.ARGS."ENV.X" or "web.ARGS".ENV.X.',
        `Write: --set 'web.ARGS."ENV.X"=VALUE'`,
      ],
    ],
  )
})

test('every variable that prodserver uses itself is known as its own', () => {
  const text = globSync('{src,python}/**/*.{ts,py}', { cwd: ROOT })
    .filter((path) => !path.endsWith('.spec.ts'))
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n')
  // Names that stand for something while the program is built.
  const built = ['PRODSERVER_VERSION', 'PRODSERVER_PROGRAM', 'PRODSERVER_SUPERVISOR', 'PRODSERVER_EVALUATOR']
  const used = new Set([...text.matchAll(/["'`[(. ](PRODSERVER_[A-Z_]*[A-Z])\b/g)].map(([, name = '']) => name))
  assert.deepEqual(
    [...used].filter((name) => !OWN_VARIABLES.includes(name) && !built.includes(name) && !/_(NAME|WEB)_/.test(name)),
    [],
  )
})
