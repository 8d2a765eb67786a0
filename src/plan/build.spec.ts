import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { OptionGrammar } from '../args/grammar.ts'
import { findBackend } from '../backends/index.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { Project } from '../project/project.ts'
import { buildPlan } from './build.ts'
import type { PlanRequest } from './request.ts'

/** An interpreter that answers every question with the same text. */
function createPython(t: TestContext, answer: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-python-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'python')
  writeFileSync(path, `#!/bin/sh\ncat >&3 <<'END'\n${JSON.stringify(answer)}\nEND\n`)
  chmodSync(path, 0o755)
  return path
}

function createRequest(t: TestContext, processes: SettingsAnswer['settings'][string], answer: object): PlanRequest {
  const python = { path: createPython(t, answer), reason: 'test', install: 'pip install' }
  const settings = { module: 'mysite.settings', reason: 'manage.py' }
  const root = dirname(python.path)
  const project: Project = {
    root,
    settings,
    python,
    pythonPath: [],
    runManage: false,
    config: undefined,
    manage: undefined,
  }
  return {
    project,
    answer: {
      settings: { PRODUCTION_PROCESSES: processes, WSGI_APPLICATION: 'mysite.wsgi.application' },
      order: [],
      settingsModule: 'mysite.settings',
      settingsFile: null,
      python: { executable: python.path, version: '3.12.0', prefix: '/usr' },
      path: [],
      modules: { django: true, gunicorn: true },
      exported: {},
    },
    env: {},
    processors: 2,
    thorough: true,
    timeoutMs: 60_000,
  }
}

/** Counts how often an option is translated, by the look into the grammar that only a translation takes. */
function countTranslations(t: TestContext, grammar: OptionGrammar, option: string): () => number {
  let count = 0
  const missing = new Proxy(
    {},
    {
      get: (_, name) => {
        if (name === option) count++
        return undefined
      },
    },
  )
  Object.assign(grammar, { missing })
  t.after(() => Reflect.deleteProperty(grammar, 'missing'))
  return () => count
}

const ANSWER = { version: '23.0.0', names: [], refused: [], deprecated: [], missing: [] }

test('translates the options of a process once, although it has variants and is asked about', async (t) => {
  const grammar = findBackend('gunicorn')?.options
  assert.ok(grammar)
  const translations = countTranslations(t, grammar, 'workers')
  const declared = { web: { BACKEND: 'gunicorn', ARGS: { workers: 4 } } }
  const request = createRequest(t, declared, { classes: {}, apps: {}, options: { web: ANSWER } })
  const { plan, problems } = await buildPlan(request)
  assert.deepEqual(problems, [])
  assert.ok(plan.processes[0]?.argv.includes('--workers=4'))
  assert.equal(translations(), 1)
})

test('translates the list of a Python class once', async (t) => {
  const grammar = findBackend('gunicorn')?.options
  assert.ok(grammar)
  const translations = countTranslations(t, grammar, 'workers')
  const gunicorn = 'django_prodserver.backends.gunicorn.GunicornServer'
  const prepared = ['mysite.wsgi:application', '--workers=3', '--worker-class=asgi']
  const request = createRequest(
    t,
    { web: { BACKEND: 'mysite.servers.Own' } },
    {
      classes: { web: { mro: ['mysite.servers.Own', gunicorn], starter: gunicorn, args: prepared } },
      apps: {},
      options: { web: ANSWER },
    },
  )
  const settings = { ...request.answer.settings, ASGI_APPLICATION: 'mysite.asgi.application' }
  const { plan, problems } = await buildPlan({ ...request, answer: { ...request.answer, settings } })
  assert.deepEqual(problems, [])
  assert.deepEqual(plan.processes[0]?.argv.slice(3), ['--workers=3', '--worker-class=asgi', 'mysite.asgi:application'])
  assert.equal(translations(), 1)
})

test('lists problems of the whole project first, then those of each process in the order of the declaration', async (t) => {
  const declared = {
    b: { BACKEND: 'command', APP: 'true', LIMITS: { files: 1 }, DEPENDS_ON: ['c'] },
    a: { BACKEND: 'gunicron' },
  }
  const request = createRequest(t, declared, { classes: {}, apps: {}, options: {}, ready: { error: {} } })
  const { problems } = await buildPlan({ ...request, answer: { ...request.answer, order: ['b', 'a'] } })
  assert.deepEqual(
    problems.map(({ id, process }) => `${process} ${id}`),
    ['b E107', 'b E109', 'a E202'],
  )
})
