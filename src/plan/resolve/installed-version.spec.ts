import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { installedVersion, isOlder } from './installed-version.ts'

test('the version of a distribution is that of the folder which describes it', (t) => {
  const site = mkdtempSync(join(tmpdir(), 'prodserver-site-'))
  t.after(() => rmSync(site, { recursive: true, force: true }))
  for (const name of [
    'granian-2.8.9.dist-info',
    'Django_Tasks-0.13.0.dist-info',
    'granian_extra-1.0.dist-info',
    'granian',
  ])
    mkdirSync(join(site, name))
  const path = ['/nowhere', site]
  assert.equal(installedVersion('granian', path), '2.8.9')
  assert.equal(installedVersion('django-tasks', path), '0.13.0')
  assert.equal(installedVersion('gunicorn', path), undefined)
})

test('versions are compared number by number', () => {
  const older: readonly (readonly [version: string | undefined, than: string, older: boolean])[] = [
    ['2.7.9', '2.8', true],
    ['2.8.0', '2.8', false],
    ['2.8', '2.8', false],
    ['2.10.0', '2.8', false],
    ['1.9', '2.8', true],
    ['3', '2.8', false],
    ['2.8.0rc1', '2.8', false],
    [undefined, '2.8', false],
  ]
  for (const [version, than, expected] of older) assert.equal(isOlder(version, than), expected, `${version} < ${than}`)
})
