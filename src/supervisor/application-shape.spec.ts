import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSpec } from '../../test/support/specs.ts'
import { findMistake } from './application-shape.ts'
import type { Application } from './spec.ts'

const project = { root: '/srv/shop', settings: null, python: null, config: null }
const application: Application = { project, specs: [createSpec()], only: null, release: '1', reload: false }

const withSpec = (changes: object): unknown => ({ ...application, specs: [{ ...createSpec(), ...changes }] })

test('an application that a client sends passes, after JSON has carried it', () => {
  const schedule = { cron: '30 3 * * *', tz: 'UTC' }
  const probe = { ...createSpec().ready, exec: ['true'] }
  const inherited = { argv: ['/bin/true'], env: { A: '1' }, listening: true }
  const full = withSpec({ schedule, alive: probe, inherited, listen: ['unix:/run/web.sock'], memoryLimitBytes: 1024 })
  for (const good of [application, full]) assert.equal(findMistake(JSON.parse(JSON.stringify(good))), null)
})

test('the first part that has the wrong form is named', () => {
  const wrong: readonly (readonly [value: unknown, path: string])[] = [
    [null, 'application'],
    [[], 'application'],
    [{ ...application, release: 1 }, 'application.release'],
    [{ ...application, only: [1] }, 'application.only[0]'],
    [{ ...application, project: { ...project, root: 'shop' } }, 'application.project.root'],
    [{ ...application, specs: [createSpec(), createSpec()] }, 'application.specs'],
    [withSpec({ name: '../web' }), 'application.specs[0].name'],
    [withSpec({ argv: [] }), 'application.specs[0].argv'],
    [withSpec({ env: { 'A=B': '' } }), 'application.specs[0].env'],
    [withSpec({ cwd: 'relative' }), 'application.specs[0].cwd'],
    [withSpec({ listen: ['8000'] }), 'application.specs[0].listen[0]'],
    [withSpec({ umask: '09' }), 'application.specs[0].umask'],
    [withSpec({ nice: 20 }), 'application.specs[0].nice'],
    [withSpec({ nice: undefined }), 'application.specs[0].nice'],
    [withSpec({ limits: { nofile: 1024 } }), 'application.specs[0].limits.nofile'],
    [withSpec({ stop: { signal: 'NONE', timeoutMs: 1 } }), 'application.specs[0].stop.signal'],
    [withSpec({ stop: { signal: 'TERM', timeoutMs: 2 ** 31 } }), 'application.specs[0].stop.timeoutMs'],
    [withSpec({ ready: { ...createSpec().ready, exec: [] } }), 'application.specs[0].ready.exec'],
    [withSpec({ dependsOn: { db: 'healthy' } }), 'application.specs[0].dependsOn.db'],
    [withSpec({ schedule: { cron: '61 * * * *', tz: 'UTC' } }), 'application.specs[0].schedule'],
    [withSpec({ schedule: { cron: '1 * * * *', tz: 'Mars/Olympus' } }), 'application.specs[0].schedule'],
  ]
  for (const [value, path] of wrong) assert.equal(findMistake(value), path)
})
