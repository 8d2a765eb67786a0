import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFacts, createPlanned, problemsOf } from '../../../test/support/facts.ts'
import type { ProcessFacts } from '../facts.ts'
import { addresses } from './addresses.ts'

const listening = (name: string, listen: readonly string[], enabled = true): ProcessFacts =>
  createPlanned({ name, listen, enabled, place: `at ${name}` })

const check = (...processes: ProcessFacts[]): readonly string[] =>
  problemsOf(addresses, createFacts(processes)).map(({ id, place, process, message }) => {
    assert.deepEqual([id, place], ['E401', `at ${process}`])
    return `${process}: ${message}`
  })

const pairs: readonly (readonly [one: string, other: string, clash: boolean])[] = [
  ['127.0.0.1:8000', '127.0.0.1:8000', true],
  ['127.0.0.1:8000', '127.0.0.1:8001', false],
  ['0.0.0.0:8000', '127.0.0.1:8000', true],
  ['0.0.0.0:8000', '10.0.0.1:8000', true],
  ['0.0.0.0:8000', '0.0.0.0:8001', false],
  ['[::]:8000', '127.0.0.1:8000', true],
  ['[::]:8000', '0.0.0.0:8000', true],
  ['[::1]:8000', '[::1]:8000', true],
  ['[::1]:8000', '127.0.0.1:8000', false],
  [':8000', '10.0.0.1:8000', true],
  ['localhost:8000', '127.0.0.1:8000', true],
  ['10.0.0.1:8000', '10.0.0.2:8000', false],
  ['127.0.0.1:0', '127.0.0.1:0', false],
  ['0.0.0.0:0', '127.0.0.1:0', false],
  ['unix:/run/a.sock', 'unix:/run/a.sock', true],
  ['unix:/run/a.sock', 'unix:/run/b.sock', false],
  ['unix:/run/a.sock', '0.0.0.0:8000', false],
  ['unix:/run/a.sock', 'unix:///run/a.sock', true],
]

for (const [one, other, clash] of pairs) {
  test(`${one} and ${other} ${clash ? 'cannot both be listened on' : 'do not meet'}`, () => {
    assert.equal(check(listening('a', [one]), listening('b', [other])).length, clash ? 1 : 0)
    assert.equal(check(listening('a', [other]), listening('b', [one])).length, clash ? 1 : 0)
  })
}

test('the later process is told of each earlier one, and of its address where that is another', () => {
  const processes = [
    listening('a', ['0.0.0.0:8000', '0.0.0.0:9000']),
    listening('b', ['127.0.0.1:8000']),
    listening('c', ['127.0.0.1:8000', '127.0.0.1:9000', '127.0.0.1:7000']),
  ]
  assert.deepEqual(check(...processes), [
    'b: It listens on 127.0.0.1:8000, and so does "a" (on 0.0.0.0:8000).',
    'c: It listens on 127.0.0.1:8000, and so do "a" (on 0.0.0.0:8000), "b".',
    'c: It listens on 127.0.0.1:9000, and so does "a" (on 0.0.0.0:9000).',
  ])
})

test('a disabled process takes no address', () => {
  assert.deepEqual(check(listening('a', ['0.0.0.0:8000'], false), listening('b', ['0.0.0.0:8000'])), [])
})
