import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesFor, type Effect, effectOf, problemsOfDefault } from '../../test/support/export-changes.ts'
import { PROCESS_KEYS } from '../config/schema.ts'
import { TARGETS } from './index.ts'
import type { Target } from './target.ts'

/** Effects of every change of each key. A key that the plan has resolved has no changes. */
function effectsOf(target: Target): readonly (readonly [key: (typeof PROCESS_KEYS)[number], readonly Effect[]])[] {
  return PROCESS_KEYS.map((key) => [key, changesFor(target, key).map((change) => effectOf(target, change))] as const)
}

const isSilent = ({ isWritten, problems }: Effect): boolean => !isWritten && problems.length === 0

const isWarned = ({ problems }: Effect): boolean => problems.some(({ id }) => id === 'W801')

for (const target of TARGETS) {
  const { support, title } = target
  const effects = effectsOf(target)
  const sampled = effects.filter(([, all]) => all.length > 0)

  test(`${title} expresses everything that a process declares, or warns of it`, () => {
    assert.deepEqual(
      effects.flatMap(([key, all]) => (all.some(isSilent) ? [key] : [])),
      [],
    )
    assert.deepEqual(problemsOfDefault(target), [])
  })

  test(`the record of ${title} names the keys that its files express`, () => {
    const written = sampled.filter(([, all]) => all.some(({ isWritten }) => isWritten)).map(([key]) => key)
    const recorded = sampled.map(([key]) => key).filter((key) => support[key].expressedBy !== undefined)
    assert.deepEqual(written, recorded)
  })

  test(`the record of ${title} names the keys that an export warns of`, () => {
    const warned = sampled.filter(([, all]) => all.some(isWarned)).map(([key]) => key)
    const recorded = sampled.map(([key]) => key).filter((key) => support[key].unsupported !== undefined)
    assert.deepEqual(warned, recorded)
  })
}
