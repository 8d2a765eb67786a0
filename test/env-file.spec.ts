import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plan } from '../src/index.ts'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

/** As python-dotenv and Docker Compose read them. */
const LINES: readonly (readonly [line: string, name: string, value: string])[] = [
  ['PLAIN=value', 'PLAIN', 'value'],
  ['HASH=a#b', 'HASH', 'a#b'],
  ['HASHES=a#b#c  # and a comment', 'HASHES', 'a#b#c'],
  ['COMMENT=value # not this', 'COMMENT', 'value'],
  ['export EXPORTED=x#y', 'EXPORTED', 'x#y'],
  ["APOSTROPHE=it's#1", 'APOSTROPHE', "it's#1"],
  ['DOUBLE="a # b"', 'DOUBLE', 'a # b'],
  ["SINGLE='a#b'", 'SINGLE', 'a#b'],
  ['LINES="one\nX=a#b\ntwo"', 'LINES', 'one\nX=a#b\ntwo'],
  ['SPACED = a#b', 'SPACED', 'a#b'],
  ['EMPTY=', 'EMPTY', ''],
  ['# HIDDEN=a#b', 'HIDDEN', ''],
]

test('values of an environment file are what the files of others mean by them', async (t) => {
  const cwd = createProject(t, {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ENV_FILE": [".env"]}}',
    files: { '.env': `${LINES.map(([line]) => line).join('\n')}\n` },
  })
  const { stdout } = await prodserver(t, ['show', '--json'], { cwd })
  const env = (JSON.parse(stdout) as Plan).processes[0]?.env ?? {}
  const shown = LINES.map(([, name]) => [name, env[name]?.value ?? ''])
  assert.deepEqual(
    shown,
    LINES.map(([, name, value]) => [name, value]),
  )
  assert.equal('X' in env, false)
})
