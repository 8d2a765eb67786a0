import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { CANONICAL_LIMIT, LIMIT_NAMES, parseLimit, parseLimitName, printLimit } from './limits.ts'

const limits: readonly (readonly [value: string | number, canonical: string | undefined])[] = [
  [1024, '1024'],
  [0, '0'],
  ['0512', '512'],
  ['512:1024', '512:1024'],
  ['1024:1024', '1024'],
  ['1024:', '1024:'],
  [':1024', ':1024'],
  ['unlimited', 'unlimited'],
  ['infinity', 'unlimited'],
  [-1, 'unlimited'],
  ['-1:-1', 'unlimited'],
  ['512:infinity', '512:unlimited'],
  [':unlimited', ':unlimited'],
  ['9223372036854775807', '9223372036854775807'],
  ['9223372036854775808', undefined],
  ['', undefined],
  [':', undefined],
  ['many', undefined],
  ['Infinity', undefined],
  [-2, undefined],
  [1.5, undefined],
  [1e21, undefined],
  ['1:2:3', undefined],
  ['200:100', undefined],
  ['unlimited:100', undefined],
  ['100\n', undefined],
]

for (const [value, canonical] of limits) {
  test(`${JSON.stringify(value)} is ${canonical === undefined ? 'not a limit' : `the limit ${canonical}`}`, () => {
    const limit = parseLimit(value)
    assert.equal(limit && printLimit(limit), canonical)
    assert.equal(canonical !== undefined && CANONICAL_LIMIT.test(canonical), canonical !== undefined)
    if (canonical !== undefined) assert.deepEqual(parseLimit(canonical), limit)
  })
}

test('a limit may be written in upper case', () => {
  assert.equal(parseLimitName('NOFILE'), 'nofile')
  assert.equal(parseLimitName('nofiles'), undefined)
  assert.equal(parseLimitName('nofile\n'), undefined)
})

test('prlimit knows every limit and reads the canonical form', () => {
  const names = LIMIT_NAMES.flatMap((name) => [`--${name}`])
  const { status, stderr } = spawnSync('prlimit', [...names, '--output=RESOURCE'], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  for (const limit of ['4:4', '4', '4:', ':4']) {
    const set = spawnSync('prlimit', [`--core=${limit}`, '--', 'true'], { encoding: 'utf8' })
    assert.equal(set.status, 0, set.stderr)
  }
})
