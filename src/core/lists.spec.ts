import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defined } from './defined.ts'
import { compact } from './lists.ts'

test('compact leaves out undefined, null and false, and keeps other empty values', () => {
  assert.deepEqual(compact(['a', undefined, null, false, '', 0]), ['a', '', 0])
})

test('defined leaves out keys whose value is undefined, and keeps null', () => {
  assert.deepEqual(defined({ a: 1, b: undefined, c: null }), { a: 1, c: null })
})
