import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFilter, instancesIn, select, type Selectable } from './selectors.ts'

const known: readonly Selectable[] = [
  { process: 'web', kind: 'web', instances: ['web.1', 'web.2'] },
  { process: 'web2', kind: 'web', instances: ['web2.1'] },
  { process: 'worker', kind: 'worker', instances: ['worker.1', 'worker.2', 'worker.3'] },
  { process: 'worker-slow', kind: 'worker', instances: ['worker-slow.1'] },
  { process: 'beat', kind: 'scheduler', instances: ['beat.1'] },
  { process: 'a+b', kind: 'task', instances: [] },
]

const found: readonly (readonly [selectors: string, expected: string])[] = [
  ['', 'web web2 worker worker-slow beat a+b'],
  ['web', 'web'],
  ['beat web', 'beat web'],
  ['web web', 'web'],
  ['web.2', 'web.2'],
  ['web.1 worker.3', 'web.1 worker.3'],
  ['worker.3 web worker.3', 'web worker.3'],
  // An instance is not listed beside its whole process.
  ['web web.2', 'web'],
  ['web.2 web', 'web'],
  ['web.* w*b', 'web'],
  ['work*', 'worker worker-slow'],
  ['*', 'web web2 worker worker-slow beat a+b'],
  ['*-*', 'worker-slow'],
  ['w*r', 'worker'],
  ['web?', 'web2'],
  ['web.*', 'web.1 web.2'],
  ['web.?', 'web.1 web.2'],
  ['w*.2', 'web.2 worker.2'],
  ['*.1', 'web.1 web2.1 worker.1 worker-slow.1 beat.1'],
  ['a+?', 'a+b'],
  ['@worker', 'worker worker-slow'],
  ['@scheduler @web', 'beat web web2'],
]

for (const [selectors, expected] of found) {
  test(`${JSON.stringify(selectors)} selects ${expected}`, () => {
    const selection = select(selectors.split(' ').filter(Boolean), known)
    assert.ok(!('unknown' in selection))
    assert.equal([...selection.processes, ...selection.instances].join(' '), expected)
  })
}

const refused: readonly (readonly [selector: string, message: string, hint: string])[] = [
  ['wbe', 'There is no process or instance "wbe".', 'Did you mean web?'],
  ['web.7', 'There is no process or instance "web.7".', 'Did you mean web.1?'],
  ['worker.0', 'There is no process or instance "worker.0".', 'Did you mean worker.1?'],
  ['nothing', 'There is no process or instance "nothing".', 'There are: web, web2, worker, worker-slow, beat, a+b'],
  ['(*', 'No process or instance matches "(*".', 'There are: web, web2, worker, worker-slow, beat, a+b'],
  ['eb*', 'No process or instance matches "eb*".', 'There are: web, web2, worker, worker-slow, beat, a+b'],
  ['zzzzzz?', 'No process or instance matches "zzzzzz?".', 'There are: web, web2, worker, worker-slow, beat, a+b'],
  ['@wroker', 'No process is of kind "@wroker".', 'Did you mean @worker?'],
  ['@', 'No process is of kind "@".', 'There are: web, web2, worker, worker-slow, beat, a+b'],
]

for (const [selector, message, hint] of refused) {
  test(`${selector} selects nothing, and the user learns what exists`, () => {
    assert.deepEqual(select(['web', selector], known), { unknown: selector, message, hint })
  })
}

test('a kind selects nothing when only names are known', () => {
  assert.deepEqual(select(['@worker'], [{ process: 'web', instances: ['web.1'] }]), {
    unknown: '@worker',
    message: 'The kinds of processes are not known here, so "@worker" selects none.',
    hint: 'There are: web',
  })
})

test('no hint is given when there is nothing to select', () => {
  assert.deepEqual(select(['web'], []), {
    unknown: 'web',
    message: 'There is no process or instance "web".',
    hint: undefined,
  })
})

test('the instances of a selection are listed once, in the order of the processes', () => {
  const selection = select(['worker.2', 'web', '@scheduler'], known)
  assert.ok(!('unknown' in selection))
  assert.deepEqual(instancesIn(selection, known), ['web.1', 'web.2', 'worker.2', 'beat.1'])
})

const filtered: readonly (readonly [selector: string, expected: boolean])[] = [
  ['web', true],
  ['web.9', true],
  ['web.?', true],
  ['*.9', true],
  ['w*', true],
  ['@web', true],
  ['web.1', false],
  ['web?', false],
  ['@worker', false],
]

for (const [selector, expected] of filtered) {
  test(`a filter for ${selector} ${expected ? 'accepts' : 'rejects'} web.9`, () => {
    const accepts = createFilter(['nothing', selector])
    assert.equal(accepts({ process: 'web', kind: 'web', instance: 'web.9' }), expected)
  })
}

test('a filter without selectors accepts every instance', () => {
  assert.equal(createFilter([])({ process: 'web', instance: 'web.1' }), true)
})
