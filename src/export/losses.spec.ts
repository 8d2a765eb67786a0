import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesFor, effectOf, rendered } from '../../test/support/export-changes.ts'
import { TARGETS } from './index.ts'

for (const target of TARGETS) {
  test(`${target.title} shows everything that a process is declared with, or says that it cannot`, () => {
    const dropped = changesFor(target).filter((change) => {
      const { isWritten, losses } = effectOf(target, change)
      return !isWritten && losses.length === 0
    })
    assert.deepEqual(dropped, [])
    assert.deepEqual(rendered(target, undefined).losses, [])
  })
}
