import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeclaration, createFacts, createResolved, problemsOf } from '../../../test/support/facts.ts'
import { findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { Facts, FactsHere, ProcessFacts } from '../facts.ts'
import { backendPackage } from './backend-package.ts'
import { djangoInstalled } from './django-installed.ts'
import { djangoProject } from './django-project.ts'
import { djangoSetup } from './django-setup.ts'
import { optionFiles } from './option-files.ts'
import { packageVersion } from './package-version.ts'
import { repeatedOptions } from './repeated-options.ts'
import { schedules } from './schedules.ts'
import { sharedFiles } from './shared-files.ts'
import { singleScheduler } from './single-scheduler.ts'
import { variableNames } from './variable-names.ts'

const summarize = (problems: readonly Problem[]): readonly string[] =>
  problems.map(({ id, process, place }) => `${id} ${process ?? '-'} ${place}`)

const declared = (more: Partial<Declaration> = {}): ProcessFacts =>
  createResolved({ declaration: createDeclaration({ name: 'web', ...more }) })

const withAnswer = (answer: object): Partial<Facts> => ({ answer: answer as Facts['answer'] })

test('reports a missing Django once, and only if a backend needs it', () => {
  const missing = withAnswer({ modules: { django: false } })
  const processes = [declared(), declared({ name: 'api' })]
  assert.equal(problemsOf(djangoInstalled, createFacts(processes, missing)).length, 1)
  assert.deepEqual(problemsOf(djangoInstalled, createFacts([declared({ backend: 'command' })], missing)), [])
})

test('reports backends of Django in a folder without a project', () => {
  const [web] = [declared()]
  const facts = createFacts([web])
  const withSettings = { ...facts, project: { ...facts.project, settings: { module: 'a', reason: 'manage.py' } } }
  assert.deepEqual(summarize(problemsOf(djangoProject, facts)), ['E001 web web.backend'])
  assert.deepEqual(problemsOf(djangoProject, withSettings), [])
})

test('reports an app of INSTALLED_APPS that cannot be loaded', () => {
  const error = { type: 'ImportError', message: 'no shop\nmore', module: 'shop', import: true, near: null, text: 'T\n' }
  const python = { classes: {}, apps: {}, options: {}, ready: { error } }
  const [problem] = problemsOf(djangoSetup, createFacts([], { python }))
  assert.equal(problem?.message, 'Django cannot be set up: ImportError: no shop')
})

test('reports a package that is missing, unless its files are on the import path', () => {
  const facts = createFacts([declared()], withAnswer({ settings: {}, modules: {}, path: ['/site'] }))
  assert.deepEqual(summarize(problemsOf(backendPackage, facts)), ['E203 web web.backend'])
  const disk = { ...facts.disk, seesModule: (module: string) => module === 'gunicorn' }
  assert.deepEqual(problemsOf(backendPackage, { ...facts, disk }), [])
})

test('reports a version below the first that is supported', () => {
  const facts = createFacts([declared()])
  const installed = (version: string): readonly string[] =>
    summarize(problemsOf(packageVersion, { ...facts, disk: { ...facts.disk, installedVersion: () => version } }))
  assert.deepEqual(installed('20.1.0'), ['W306 web web.backend'])
  assert.deepEqual(installed('23.0.0'), [])
})

test('reports an option that is declared by two of its names, but not one that may be repeated', () => {
  const given = (...names: readonly string[]): readonly string[] => {
    const options = names.map((name) => ({ key: name, name, values: ['1'], tokens: [`--${name}=1`] }))
    const web = createResolved({
      declaration: createDeclaration({ name: 'web' }),
      translation: { options, problems: [] },
    })
    return summarize(problemsOf(repeatedOptions, createFacts([web])))
  }
  assert.deepEqual(given('workers', 'w'), ['W304 web web.args.w'])
  assert.deepEqual(given('bind', 'b'), [])
  assert.deepEqual(given('workers', 'threads'), [])
})

test('reports files that cannot be read or written, as another user only if they are missing', () => {
  const options = ['certfile', 'access-logfile', 'pid'].map((name) => {
    return { key: name, name, values: [`/srv/${name}`], tokens: [] }
  })
  const asked: boolean[] = []
  const check = (user?: string): readonly string[] => {
    const declaration = createDeclaration({ name: 'web', ...(user === undefined ? {} : { user }) })
    const facts = createFacts([createResolved({ declaration, translation: { options, problems: [] } })])
    const why = (_: string, asThisUser: boolean): string | null => {
      asked.push(asThisUser)
      return asThisUser ? 'this user may not' : null
    }
    const here = { ...facts, machine: {} as FactsHere['machine'] }
    return summarize(
      problemsOf(optionFiles, { ...here, disk: { ...facts.disk, whyUnreadable: why, whyUnwritable: why } }),
    )
  }
  assert.deepEqual(check(), ['E306 web web.args.certfile', 'E307 web web.args.access-logfile', 'E307 web web.args.pid'])
  assert.deepEqual(check('shop'), [])
  assert.deepEqual(asked, [true, true, true, false, false, false])
})

test('reports two writers of a pid file as an error, and two writers of a log as a warning', () => {
  const writing = (name: string, option: string, instances = 1): ProcessFacts => {
    const options = [{ key: option, name: option, values: ['/run/x'], tokens: [] }]
    const translation = { options, problems: [] }
    const command = { listen: [] } as unknown as NonNullable<ProcessFacts['command']>
    return { ...createResolved({ declaration: createDeclaration({ name, instances }), translation }), command }
  }
  const check = (...processes: readonly ProcessFacts[]): readonly string[] =>
    summarize(problemsOf(sharedFiles, createFacts(processes)))
  assert.deepEqual(check(writing('a', 'pid'), writing('b', 'pid')), ['E403 b b.args.pid'])
  assert.deepEqual(check(writing('a', 'pid', 2)), ['E403 a a.args.pid'])
  assert.deepEqual(check(writing('a', 'error-logfile'), writing('b', 'error-logfile')), ['W402 b b.args.error-logfile'])
  assert.deepEqual(check(writing('a', 'error-logfile', 2)), [])
})

test('reports a second scheduler of an application, and several instances of one', () => {
  const beat = findBackend('celery-beat')
  assert.ok(beat)
  const scheduler = (name: string, more: Partial<Declaration> = {}): ProcessFacts =>
    createResolved({ declaration: createDeclaration({ name, app: 'shop.celery', ...more }), backend: beat })
  const check = (...processes: readonly ProcessFacts[]): readonly string[] =>
    summarize(problemsOf(singleScheduler, createFacts(processes)))
  assert.deepEqual(check(scheduler('a'), scheduler('b')), ['E402 b b'])
  assert.deepEqual(check(scheduler('a'), scheduler('b', { enabled: false })), [])
  assert.deepEqual(check(scheduler('a'), scheduler('b', { app: 'other.celery' })), [])
  assert.deepEqual(check(scheduler('a', { instances: 2 })), ['E402 a a.instances'])
})

test('reports names and values that no environment can hold', () => {
  const env = { 'A=B': 'x', '': 'x', GOOD: 'x', NUL: 'a\0b' }
  const found = problemsOf(variableNames, createFacts([declared({ env })]))
  assert.deepEqual(summarize(found), ['E107 web web.env.A=B', 'E107 web web.env.', 'E107 web web.env.NUL'])
})

test('reports a wrong schedule at its key, and a wrong time zone at its own', async () => {
  const check = async (schedule: string, tz?: string): Promise<readonly string[]> =>
    summarize(await schedules.find(createFacts([declared({ schedule, ...(tz === undefined ? {} : { tz }) })])))
  assert.deepEqual(await check('@daily'), [])
  assert.deepEqual(await check('61 * * * *'), ['E107 web web.schedule'])
  assert.deepEqual(await check('@daily', 'Europe/Berlinn'), ['E107 web web.tz'])
})
