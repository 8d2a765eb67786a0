import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CompletionFacts, runsToCompletion } from './completion.ts'

const cases: readonly (readonly [run: CompletionFacts['run'], schedule: unknown, completes: boolean])[] = [
  ['always', null, false],
  ['once', null, true],
  ['release', null, true],
  ['always', { cron: '@daily' }, true],
  ['release', { cron: '@daily' }, true],
]

for (const [run, schedule, completes] of cases) {
  test(`a process with RUN ${run} and ${schedule ? 'a' : 'no'} schedule ${completes ? 'completes' : 'is a service'}`, () => {
    assert.equal(runsToCompletion({ run, schedule }), completes)
  })
}
