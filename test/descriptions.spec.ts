import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Ajv } from 'ajv'
import { PYTHON, ROOT } from './support/environment.ts'
import { run } from './support/running.ts'

/** What describes the declaration for editors, asked by what editors ask. */

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(ROOT, 'schema.json'), 'utf8')) as object,
)

/** The places that are wrong in a config file. */
function wrongIn(config: unknown): readonly string[] {
  validate(config)
  const places = (validate.errors ?? [])
    .filter(({ keyword }) => !['if', 'anyOf', 'oneOf'].includes(keyword))
    .map(({ instancePath, params }) => [instancePath, params['additionalProperty'], params['missingProperty']])
  return [...new Set(places.map((parts) => parts.filter(Boolean).join('/')))]
}

const web = (keys: object): object => ({ processes: { web: { backend: 'gunicorn', ...keys } } })

const good: readonly object[] = [
  { $schema: './node_modules/prodserver/schema.json', ...web({}) },
  web({ args: { workers: 4, bind: ['127.0.0.1:8000', ':9000'], preload: true, timeout: '30', 'of-tomorrow': true } }),
  web({ ready: { http: '/' }, alive: { exec: ['true'], interval: '1m30s', timeout: 5 }, stop: { signal: 'SIGINT' } }),
  web({ restart: 'never' }),
  web({ restart: { policy: 'always', delay: '500ms', maxDelay: 2, limit: 3 } }),
  web({ dependsOn: { db: 'started' }, env: { A: 1, B: null, C: true }, envFile: ['.env'], memoryLimit: '512MiB' }),
  web({ instances: 'cpu', umask: '027', nice: -5, limits: { nofile: 65_536 }, log: { maxSize: '1G', keep: 2 } }),
  { processes: { x: { backend: './caddy.ts', args: { any: 'thing' } } }, defaults: { env: { A: 'b' } } },
]

const bad: readonly (readonly [config: object, ...places: string[]])[] = [
  [{}, 'processes'],
  [{ processes: [] }, '/processes'],
  [{ proceses: {}, processes: {} }, 'proceses'],
  [{ processes: { web: { app: 'x' } } }, '/processes/web/backend'],
  [web({ backend: '' }), '/processes/web/backend'],
  [web({ instances: 0 }), '/processes/web/instances'],
  [web({ instances: 1.5 }), '/processes/web/instances'],
  [web({ DEPENDS_ON: 'db' }), '/processes/web/DEPENDS_ON'],
  [web({ args: { preload: 1 } }), '/processes/web/args/preload'],
  [web({ args: { workers: [1] } }), '/processes/web/args/workers'],
  [web({ args: [] }), '/processes/web/args'],
  [web({ stop: { timeout: 'soon', signal: 'STOP' } }), '/processes/web/stop/signal', '/processes/web/stop/timeout'],
  [web({ log: { max_size: 1 } }), '/processes/web/log/max_size'],
  [web({ umask: 27 }), '/processes/web/umask'],
  [web({ enabled: 'yes' }), '/processes/web/enabled'],
  [web({ run: 'often' }), '/processes/web/run'],
  [{ ...web({}), defaults: { instnaces: 2 } }, '/defaults/instnaces'],
]

test('the schema takes every config file that is right, and names what is wrong in the others', () => {
  for (const config of good) assert.deepEqual(wrongIn(config), [], JSON.stringify(config))
  for (const [config, ...places] of bad) assert.deepEqual(wrongIn(config).toSorted(), places, JSON.stringify(config))
  // Exactly one way to ask.
  assert.equal(validate(web({ ready: { http: '/', tcp: 8000 } })), false)
  assert.equal(validate(web({ ready: { interval: 1 } })), false)
})

const SETTINGS = `import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_prodserver.types import ProductionProcessDefaults, ProductionProcesses

BASE_DIR = Path(__file__).parent

`

/** What mypy says of settings: its errors, by line. */
async function mypy(t: TestContext, lines: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-mypy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  writeFileSync(join(folder, 'settings.py'), SETTINGS + lines)
  // What is installed of the package is typed by its marker.
  const words = ['--strict', '--no-error-summary', '--hide-error-context', '--cache-dir', join(folder, 'cache')]
  const { stdout, stderr } = await run(t, join(dirname(PYTHON), 'mypy'), [...words, 'settings.py'], {
    cwd: folder,
    env: { MYPYPATH: join(ROOT, 'python') },
  })
  assert.equal(stderr, '')
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('settings.py:'))
    .map((line) => line.replace(/^settings\.py:(\d+): /, (_, number: string) => `${Number(number) - 9}: `))
}

test('a type checker of Python takes settings that are right, and says what is wrong in others', async (t) => {
  const right = await mypy(
    t,
    `PRODUCTION_PROCESSES: "ProductionProcesses" = {
    "migrate": {"BACKEND": "django-command", "APP": "migrate --noinput", "RUN": "release"},
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": ["127.0.0.1:8000"], "workers": 4, "preload": True, "pid": BASE_DIR / "web.pid"},
        "ENV": {"A": os.environ.get("A"), "B": 2, "C": BASE_DIR},
        "ENV_FILE": (".env", BASE_DIR / ".env"),
        "READY": {"http": "/", "interval": "5s"},
        "DEPENDS_ON": {"migrate": "completed"},
        "RESTART": {"policy": "on-failure", "max_delay": "1m"},
        "STOP": {"timeout": 30},
        "INSTANCES": "cpu",
    },
    "own": {"BACKEND": "mysite.backends.Own"},
}
PRODUCTION_PROCESS_DEFAULTS: "ProductionProcessDefaults" = {"LOG": {"max_size": "10M"}}
`,
  )
  assert.deepEqual(right, [])
  const wrong = await mypy(
    t,
    `PRODUCTION_PROCESSES: "ProductionProcesses" = {
    "misspelt": {"BACKEND": "gunicorn", "INSTNACES": 2},
    "lacking": {"APP": "x"},
    "inside": {"BACKEND": "gunicorn", "RESTART": {"policy": "sometimes"}},
    "form": {"BACKEND": "gunicorn", "ENABLED": "yes"},
    "probe": {"BACKEND": "gunicorn", "READY": {"htpp": "/"}},
}
`,
  )
  const said = new Map(wrong.map((line) => [line.split(':')[0], line] as const))
  assert.deepEqual([...said.keys()], ['2', '3', '4', '5', '6'])
  assert.match(said.get('2') ?? '', /Extra key "INSTNACES" for TypedDict "Process"/)
  assert.match(said.get('3') ?? '', /Missing key "BACKEND" for TypedDict "Process"/)
  assert.match(said.get('6') ?? '', /Extra key "htpp" for TypedDict "Probe"/)
})
