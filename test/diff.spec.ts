import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

const files = {
  'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite")\n',
  'mysite/staging.py': `from mysite.settings import *

PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"workers": 2, "bind": ["127.0.0.1:8001", "127.0.0.1:8002"]},
        "ENV": {"API_TOKEN": "staging", "DEBUG": "1"},
    },
    "worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"},
    "mailhog": {"BACKEND": "command", "APP": "mailhog"},
}
`,
  'mysite/production.py': `from mysite.staging import *

PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"workers": 8, "bind": ["127.0.0.1:8001", "127.0.0.1:8002"], "access-logfile": "-"},
        "ENV": {"API_TOKEN": "production"},
        "INSTANCES": 2,
        "READY": {"http": "/health/", "interval": "2s"},
        "MEMORY_LIMIT": "512M",
    },
    "worker": PRODUCTION_PROCESSES["worker"],
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app"},
}
`,
}

test('diff says what another environment does differently, and hides its secrets', async (t) => {
  const cwd = createProject(t, { files })
  const { code, stdout, stderr } = await prodserver(t, ['diff', 'mysite.staging', 'mysite.production'], { cwd })
  assert.equal(
    stdout,
    `web      ~ changed
           --workers=2 → --workers=8
           + --access-logfile=-
           ENV API_TOKEN  •••• → •••• (another one)
           ENV DEBUG  - 1
           INSTANCES  1 → 2
           READY http  / → /health/
           READY interval  1s → 2s
           MEMORY_LIMIT  + 536870912
worker   = the same
mailhog  - only in mysite.staging
beat     + only in mysite.production
`,
  )
  assert.deepEqual([code, stderr], [0, ''])
})

test('diff as JSON has one object a process, and its exit code says whether anything differs', async (t) => {
  const cwd = createProject(t, { files })
  const call = (...args: readonly string[]) => prodserver(t, ['diff', '--exit-code', ...args], { cwd })
  const differs = await call('--json', 'mysite.staging', 'mysite.production')
  assert.equal(differs.code, 4)
  const diffs = differs.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { process: string; is: string; changes: object[] })
  assert.deepEqual(
    diffs.map(({ process, is }) => [process, is]),
    [
      ['web', 'changed'],
      ['worker', 'same'],
      ['mailhog', 'removed'],
      ['beat', 'added'],
    ],
  )
  assert.deepEqual(diffs[0]?.changes[0], { key: 'ARGS', name: '--workers', from: '--workers=2', to: '--workers=8' })
  const same = await call('mysite.staging', 'mysite.staging')
  assert.deepEqual([same.code, same.stdout.includes('~')], [0, false])
})

test('diff refuses what cannot be planned, and says of which settings', async (t) => {
  const broken = {
    'mysite/broken.py': 'from mysite.staging import *\nPRODUCTION_PROCESSES["web"]["BACKEND"] = "gunicron"\n',
  }
  const cwd = createProject(t, { files: { ...files, ...broken } })
  const { code, stdout, stderr } = await prodserver(t, ['diff', 'mysite.staging', 'mysite.broken'], { cwd })
  assert.deepEqual([code, stdout], [4, ''])
  assert.match(stderr, /^E202 {2}mysite\.broken: PRODUCTION_PROCESSES\["web"\]\["BACKEND"\]\n/)
  const usage = await prodserver(t, ['diff', 'mysite.staging'], { cwd })
  assert.equal(usage.code, 2)
  assert.match(usage.stderr, /diff takes two settings modules\./)
  const missing = await prodserver(t, ['diff', 'mysite.staging', 'mysite.nowhere'], { cwd })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^E006 /)
})
