import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCircles, findImportCircles, findUnusedExports } from '../scripts/measures/modules.ts'
import {
  isGenerated,
  isProductCode,
  isSpec,
  parseSource,
  readSourceFiles,
  type SourceFile,
} from '../scripts/measures/source.ts'
import { findConditionalSpreads, findNestedConditionals, measureFunctions } from '../scripts/measures/syntax.ts'

const MAX_FILE_LINES = 400
const MAX_FUNCTION_LINES = 60
const MAX_CONDITIONAL_SPREADS = 39

const all = readSourceFiles()
const handWritten = all.filter((file) => !isGenerated(file))
const withoutSpecs = handWritten.filter((file) => !isSpec(file))
const product = all.filter(isProductCode)

const parse = (text: string): SourceFile => parseSource('src/example.ts', text)

test('the measures find nested conditionals, conditional spreads and long functions in an example', () => {
  const file = parse(
    [
      'const a = b ? c : (d ? e : f)',
      'const g = [...(b ? [c] : []), ...c]',
      'const h = { ...(b && { c }) }',
      'function i() {',
      '  return 1',
      '}',
    ].join('\n'),
  )
  assert.deepEqual(findNestedConditionals(file), ['src/example.ts:1'])
  assert.deepEqual(findConditionalSpreads(file), ['src/example.ts:2', 'src/example.ts:3'])
  assert.deepEqual(measureFunctions(file), [{ location: 'src/example.ts:4', lines: 3 }])
})

test('the measures find unused exports and import circles in an example', () => {
  const files = [
    parseSource('src/a.ts', "import { b } from './b.ts'\nexport const a = b\nexport type Unused = string"),
    parseSource('src/b.ts', "import type { A } from './c.ts'\nexport const b = 1"),
    parseSource('src/c.ts', "export type A = typeof import('./a.ts').a\nexport function c() {}"),
    parseSource('src/index.ts', "export * from './d.ts'\nconst { c } = await import('./c.ts')"),
    parseSource('src/d.ts', 'export class D {}'),
  ]
  assert.deepEqual(findUnusedExports(files), [])
  const [first, ...others] = files as [SourceFile, ...SourceFile[]]
  assert.deepEqual(findUnusedExports([first, ...others.slice(0, 1), ...others.slice(2)]), [
    'src/a.ts a',
    'src/a.ts Unused',
  ])
  assert.deepEqual(findImportCircles(files), [['src/a.ts', 'src/b.ts', 'src/c.ts']])
})

test('the measures tell a circle from a file that several others import', () => {
  const graph = { a: ['b', 'c'], b: ['d'], c: ['d'], d: ['e'], e: ['f'], f: ['d'] }
  assert.deepEqual(findCircles(new Map(Object.entries(graph))), [['d', 'e', 'f']])
})

test('no conditional expression is nested in another', () => {
  assert.deepEqual(handWritten.flatMap(findNestedConditionals), [])
})

test('conditional spreads are few', () => {
  const spreads = product.flatMap(findConditionalSpreads)
  assert.ok(spreads.length <= MAX_CONDITIONAL_SPREADS, spreads.join('\n'))
})

test('every function outside of specs is short', () => {
  const long = withoutSpecs.flatMap(measureFunctions).filter(({ lines }) => lines > MAX_FUNCTION_LINES)
  assert.deepEqual(long, [])
})

test('every file outside of specs is short', () => {
  const long = withoutSpecs.filter(({ lines }) => lines > MAX_FILE_LINES).map(({ path, lines }) => `${path} ${lines}`)
  assert.deepEqual(long, [])
})

test('another file imports each exported name', () => {
  assert.deepEqual(findUnusedExports(all), [])
})

test('no files import each other in a circle', () => {
  assert.deepEqual(findImportCircles(product), [])
})
