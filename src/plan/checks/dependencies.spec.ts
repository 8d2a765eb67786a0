import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeclaration, createFacts, problemsOf } from '../../../test/support/facts.ts'
import type { ProcessFacts } from '../facts.ts'
import { dependencies } from './dependencies.ts'

/** Processes by name, each with the names that it depends on. */
const declare = (needs: Readonly<Record<string, readonly string[]>>): readonly ProcessFacts[] =>
  Object.entries(needs).map(([name, names]) => {
    const dependsOn = Object.fromEntries(names.map((needed) => [needed, 'ready' as const]))
    return { declaration: createDeclaration({ name, dependsOn }), problems: [] }
  })

const check = (needs: Readonly<Record<string, readonly string[]>>, more: readonly string[] = []): readonly string[] =>
  problemsOf(dependencies, createFacts(declare(needs), { names: [...Object.keys(needs), ...more] })).map(
    ({ id, place, message, hint }) => `${id} ${place} ${message} ${hint}`,
  )

const fine: readonly Readonly<Record<string, readonly string[]>>[] = [
  {},
  { a: [] },
  { a: ['b'], b: ['c'], c: [] },
  { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] },
  { a: [], b: ['a'], c: ['a', 'b'], d: ['a', 'b', 'c'] },
]

for (const needs of fine) {
  test(`${JSON.stringify(needs)} can be ordered`, () => {
    assert.deepEqual(check(needs), [])
  })
}

const circles: readonly (readonly [
  needs: Readonly<Record<string, readonly string[]>>,
  first: string,
  circle: string,
])[] = [
  [{ a: ['a'] }, 'a', 'a → a'],
  [{ a: ['b'], b: ['a'] }, 'a', 'a → b → a'],
  [{ a: ['b'], b: ['c'], c: ['b'] }, 'b', 'b → c → b'],
  [{ x: [], a: ['x', 'b'], b: ['x', 'c'], c: ['a'] }, 'a', 'a → b → c → a'],
]

for (const [needs, first, circle] of circles) {
  test(`${JSON.stringify(needs)} is the circle ${circle}`, () => {
    assert.deepEqual(check(needs), [
      `E110 ${first}.dependsOn Processes depend on each other in a circle: ${circle}. Remove one of these dependencies`,
    ])
  })
}

test('a name that is not declared is told with the nearest that is', () => {
  assert.deepEqual(check({ web: ['databse', 'queue'], database: [] }), [
    'E109 web.dependsOn It depends on "databse", which is not declared. Did you mean "database"?',
    'E109 web.dependsOn It depends on "queue", which is not declared. Declared: web, database',
  ])
})

test('a name that is declared and not wanted now is no mistake', () => {
  assert.deepEqual(check({ web: ['database'] }, ['database']), [])
})

test('many processes that depend on many are looked at once each', () => {
  const names = Array.from({ length: 60 }, (_, index) => `p${index}`)
  const needs = Object.fromEntries(names.map((name, index) => [name, names.slice(index + 1)]))
  assert.deepEqual(check(needs), [])
})
