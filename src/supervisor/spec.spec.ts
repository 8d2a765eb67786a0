import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlanned } from '../../test/support/specs.ts'
import type { ProcessOptions } from '../config/schema.ts'
import { toSpec } from './spec.ts'

const hashOf = (declared: Partial<ProcessOptions> = {}): string => {
  const planned = { ...createPlanned(declared), argv: ['/bin/true', '-v'], env: ENV, listen: ['127.0.0.1:8000'] }
  return toSpec(planned, { argv: planned.argv, env: {} }).hash
}

const ENV = { A: { value: '1', from: 'ENV' }, B: { value: null, from: 'ENV' } }

test('the hash is that of version 0.1, so that an upgrade replaces nothing', () => {
  const declared = { cwd: '/srv', user: 'www', umask: '027', nice: 5, limits: { nofile: '1024' } }
  assert.equal(hashOf(declared), '9551a8bc5995126b')
})

test('the hash changes with a value that a running program cannot change', () => {
  const plain = hashOf()
  for (const declared of [
    { cwd: '/srv' },
    { user: 'www' },
    { group: 'www' },
    { umask: '027' },
    { nice: 5 },
    { limits: { nofile: 1024 } },
  ])
    assert.notEqual(hashOf(declared), plain, JSON.stringify(declared))
})

test('the hash stays the same when only a policy of the supervisor changes', () => {
  const plain = hashOf()
  const policies: readonly Partial<ProcessOptions>[] = [
    { instances: 3 },
    { restart: 'never' },
    { stop: { timeout: 1 } },
    { memoryLimit: 1024 },
    { log: { keep: 9 } },
  ]
  for (const declared of policies) assert.equal(hashOf(declared), plain, JSON.stringify(declared))
})
