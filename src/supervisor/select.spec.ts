import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSpec } from '../../test/support/specs.ts'
import type { World } from './process/instance.ts'
import { createManaged, type Managed } from './process/managed.ts'
import { select } from './select.ts'
import type { ProcessSpec } from './spec.ts'

/** Nothing is started here, so nothing of the world is used but its clock. */
const world = { nowMs: () => 0 } as unknown as World

const declared: readonly Partial<ProcessSpec>[] = [
  { name: 'web', kind: 'web', instances: 2 },
  { name: 'worker', instances: 3 },
  { name: 'worker-slow' },
  { name: 'beat', kind: 'scheduler' },
]
const all: readonly Managed[] = declared.map((spec) => createManaged(createSpec(spec), world))

const found: readonly (readonly [selectors: string, expected: string])[] = [
  ['', 'web worker worker-slow beat'],
  ['web', 'web'],
  ['beat web', 'beat web'],
  ['web web', 'web'],
  ['web.2', 'web.2'],
  ['web.1 worker.3', 'web.1 worker.3'],
  ['worker.3 web worker.3', 'web worker.3'],
  // A part of what is named as a whole is not named beside it.
  ['web web.2', 'web'],
  ['web.2 web', 'web'],
  ['work*', 'worker worker-slow'],
  ['*', 'web worker worker-slow beat'],
  ['*-*', 'worker-slow'],
  ['w*r', 'worker'],
  ['@worker', 'worker worker-slow'],
  ['@scheduler @web', 'beat web'],
  ['web nothing', 'unknown: nothing'],
  ['web.3', 'unknown: web.3'],
  ['web.0', 'unknown: web.0'],
  ['we', 'unknown: we'],
  ['eb*', 'unknown: eb*'],
  ['w.b', 'unknown: w.b'],
  ['w.*', 'unknown: w.*'],
  ['(*', 'unknown: (*'],
  ['@task', 'unknown: @task'],
  ['@', 'unknown: @'],
]

for (const [selectors, expected] of found) {
  test(`${JSON.stringify(selectors)} selects ${expected}`, () => {
    const selection = select(all, selectors.split(' ').filter(Boolean))
    const names =
      'unknown' in selection
        ? [`unknown: ${selection.unknown}`]
        : [...selection.processes.map(({ spec }) => spec.name), ...selection.instances.map(({ id }) => id)]
    assert.equal(names.join(' '), expected)
  })
}
