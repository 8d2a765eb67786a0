import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from './types.ts'
import { asOdd, describeType, isDictionary, nearest } from './values.ts'

const NAMES = ['web', 'worker', 'worker-priority', 'beat', 'BACKEND', 'DEPENDS_ON']

const near: readonly (readonly [name: string, meant: string | undefined])[] = [
  ['web', 'web'],
  ['wbe', 'web'],
  ['WEB', 'web'],
  ['wen', 'web'],
  ['we', 'web'],
  ['wroker', 'worker'],
  ['workers', 'worker'],
  ['worker-prority', 'worker-priority'],
  ['backend', 'BACKEND'],
  ['DEPENDSON', 'DEPENDS_ON'],
  ['bew', undefined],
  ['queue', undefined],
  ['w', undefined],
  ['', undefined],
]

for (const [name, meant] of near) {
  test(`${JSON.stringify(name)} is ${meant === undefined ? 'near nothing' : `taken for ${meant}`}`, () => {
    assert.equal(nearest(name, NAMES), meant)
  })
}

test('the nearest of several is meant, and of nothing nothing', () => {
  assert.equal(nearest('web1', ['web2', 'web11', 'web']), 'web2')
  assert.equal(nearest('web', []), undefined)
})

const odd = { __python__: 'function', repr: '<function f at 0x7f>' }

test('what JSON cannot carry is no dictionary', () => {
  assert.equal(isDictionary({ a: 1 }), true)
  assert.equal(isDictionary({}), true)
  for (const value of [odd, [], null, undefined, 'text', 3]) assert.equal(isDictionary(value), false)
})

test('what JSON cannot carry is known by its type, on one line', () => {
  assert.deepEqual(asOdd(odd), { type: 'function', repr: '<function f at 0x7f>' })
  assert.deepEqual(asOdd({ __python__: 'Thing', repr: 'two\nlines "quoted"' }), {
    type: 'Thing',
    repr: 'two\\nlines \\"quoted\\"',
  })
  for (const value of [{ __python__: 3 }, { a: 1 }, [], null, 'text']) assert.equal(asOdd(value), undefined)
})

const described: readonly (readonly [value: Json, text: string])[] = [
  [null, 'None'],
  [true, 'True'],
  [false, 'False'],
  ['text', 'a string'],
  [3, 'a number'],
  [[], 'a list'],
  [{}, 'a dictionary'],
  [odd, 'a function (<function f at 0x7f>)'],
  [{ __python__: 'object', repr: '<object>' }, 'an object (<object>)'],
  [{ __python__: 'bytes', repr: "b'x'" }, "bytes (b'x')"],
]

for (const [value, text] of described) {
  test(`${JSON.stringify(value)} is called ${text}`, () => {
    assert.equal(describeType(value), text)
  })
}
