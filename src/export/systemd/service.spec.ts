import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportedProcess, exportInput } from '../../../test/support/exported.ts'
import type { ExportedProcess } from '../input.ts'
import { systemd } from './index.ts'

/** The settings of the section `Unit` of a service, by name. */
function unitOf(name: string, processes: readonly ExportedProcess[]): Readonly<Record<string, string | undefined>> {
  const text = systemd.render(exportInput(processes)).find(({ path }) => path === `shop-${name}.service`)?.text ?? ''
  const [section = ''] = text.split('[Service]')
  return Object.fromEntries([...section.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]))
}

test('a service waits for the release jobs', () => {
  const { Requires, After = '' } = unitOf('web', [
    exportedProcess({ name: 'migrate', run: 'release' }),
    exportedProcess({ name: 'web' }),
  ])
  assert.equal(Requires, 'shop-migrate.service')
  assert.match(After, / shop-migrate\.service$/)
})

test('a job that must be ready must complete', () => {
  const { Requires, Wants = '' } = unitOf('web', [
    exportedProcess({ name: 'load', run: 'once' }),
    exportedProcess({ name: 'web', dependsOn: { load: 'ready' } }),
  ])
  assert.equal(Requires, 'shop-load.service')
  assert.doesNotMatch(Wants, /load/)
})

test('no service waits for a scheduled process', () => {
  const { Requires, Wants, After } = unitOf('web', [
    exportedProcess({ name: 'nightly', schedule: { cron: '0 3 * * *', tz: 'UTC' } }),
    exportedProcess({ name: 'web', dependsOn: { nightly: 'ready' } }),
  ])
  assert.equal(Requires, undefined)
  assert.doesNotMatch(`${Wants} ${After}`, /nightly/)
})
