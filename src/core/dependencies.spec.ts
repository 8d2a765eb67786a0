import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awaitedCondition, dependenciesOf, type Dependent } from './dependencies.ts'

const declare = (
  name: string,
  dependsOn: Dependent['dependsOn'] = {},
  run: Dependent['run'] = 'always',
): Dependent => ({ name, run, dependsOn })

test('every process waits for the release jobs', () => {
  const all = [declare('migrate', {}, 'release'), declare('web', { worker: 'started' }), declare('worker')]
  assert.deepEqual(
    all.map((process) => dependenciesOf(process, all)),
    [{}, { migrate: 'completed', worker: 'started' }, { migrate: 'completed' }],
  )
})

test('a declared dependency on a release job keeps its condition', () => {
  const all = [declare('migrate', {}, 'release'), declare('web', { migrate: 'started' })]
  assert.deepEqual(dependenciesOf(all[1] as Dependent, all), { migrate: 'started' })
})

test('a process does not wait for a release job that depends on it, directly or not', () => {
  const all = [
    declare('migrate', { proxy: 'ready' }, 'release'),
    declare('proxy', { db: 'ready' }),
    declare('db', { proxy: 'started' }),
    declare('web'),
  ]
  assert.deepEqual(
    all.map((process) => dependenciesOf(process, all)),
    [{ proxy: 'ready' }, { db: 'ready' }, { proxy: 'started' }, { migrate: 'completed' }],
  )
})

test('a release job waits for no other release job that it does not name', () => {
  const all = [declare('migrate', {}, 'release'), declare('static', {}, 'release')]
  assert.deepEqual(dependenciesOf(all[1] as Dependent, all), {})
})

test('no process waits for a release job that is not pending', () => {
  const all = [declare('migrate', {}, 'release'), declare('web')]
  assert.deepEqual(
    dependenciesOf(all[1] as Dependent, all, (name) => name !== 'migrate'),
    {},
  )
})

const SCHEDULE = { cron: '@daily' }

test('a process that runs to completion is ready when it has completed', () => {
  const job = { run: 'once', schedule: null } as const
  assert.equal(awaitedCondition(job, 'ready'), 'completed')
  assert.equal(awaitedCondition(job, 'started'), 'started')
  assert.equal(awaitedCondition(job, 'completed'), 'completed')
})

test('a scheduled process is waited for only if it must complete', () => {
  const scheduled = { run: 'always', schedule: SCHEDULE } as const
  assert.equal(awaitedCondition(scheduled, 'ready'), null)
  assert.equal(awaitedCondition(scheduled, 'started'), null)
  assert.equal(awaitedCondition(scheduled, 'completed'), 'completed')
})

test('a service is waited for as declared', () => {
  const service = { run: 'always', schedule: null } as const
  assert.equal(awaitedCondition(service, 'ready'), 'ready')
  assert.equal(awaitedCondition(service, 'started'), 'started')
})
