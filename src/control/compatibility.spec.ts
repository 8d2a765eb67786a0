import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upgradeEvent } from './compatibility.ts'

test('an event of version 0.1 has the number of its invocation as `run`', () => {
  assert.deepEqual(upgradeEvent({ type: 'ready', run: 3 }), { type: 'ready', invocation: 3 })
  assert.deepEqual(upgradeEvent({ type: 'note', run: null }), { type: 'note', invocation: null })
})

test('an event of this version stays as it is', () => {
  const event = { type: 'ready', invocation: 3 }
  assert.equal(upgradeEvent(event), event)
})
