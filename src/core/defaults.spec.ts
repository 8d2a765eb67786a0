import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedRestartKeys, DEFAULT_RESTART } from './defaults.ts'

test('returns the settings keys of restart times that differ from the defaults', () => {
  assert.deepEqual(changedRestartKeys(DEFAULT_RESTART), [])
  assert.deepEqual(changedRestartKeys({ ...DEFAULT_RESTART, maxDelayMs: 5000, windowMs: 1 }), ['max_delay', 'window'])
  assert.deepEqual(changedRestartKeys({ delayMs: 0, maxDelayMs: 0, limit: 0, windowMs: 0 }), [
    'delay',
    'max_delay',
    'limit',
    'window',
  ])
})
