import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findImportCircles, findUnusedExports } from '../scripts/measures/modules.ts'
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

/** Findings that a top folder still has, by rule. A number may fall, never rise; a rule without an entry is fulfilled. */
const REMAINING: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'nested conditionals': { src: 14 },
  'conditional spreads': { src: 76 },
  'long functions': { src: 10 },
  'long files': { src: 2 },
  'unused exports': { src: 45 },
}

const all = readSourceFiles()
const handWritten = all.filter((file) => !isGenerated(file))
const product = all.filter(isProductCode)

/** Groups findings, which start with a path, by top folder. */
function countByFolder(findings: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const finding of findings) {
    const folder = finding.slice(0, finding.indexOf('/'))
    counts[folder] = (counts[folder] ?? 0) + 1
  }
  return counts
}

/** Fails if a folder has more findings of a rule than REMAINING allows. */
function assertAtMostRemaining(rule: string, findings: readonly string[]): void {
  const allowed = REMAINING[rule] ?? {}
  const excess = Object.entries(countByFolder(findings)).filter(([folder, count]) => count > (allowed[folder] ?? 0))
  const folders = excess.map(([folder]) => folder)
  const shown = findings.filter((finding) => folders.some((folder) => finding.startsWith(`${folder}/`)))
  assert.deepEqual(excess, [], `${rule}:\n${shown.join('\n')}`)
}

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

test('no conditional expression is nested in another', () => {
  assertAtMostRemaining('nested conditionals', handWritten.flatMap(findNestedConditionals))
})

test('conditional spreads are few', () => {
  const spreads = product.flatMap(findConditionalSpreads)
  if (REMAINING['conditional spreads']) assertAtMostRemaining('conditional spreads', spreads)
  else assert.ok(spreads.length <= MAX_CONDITIONAL_SPREADS, spreads.join('\n'))
})

test('every function fits on a screen', () => {
  const long = handWritten
    .filter((file) => !isSpec(file))
    .flatMap(measureFunctions)
    .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
  assertAtMostRemaining(
    'long functions',
    long.map(({ location, lines }) => `${location} ${lines}`),
  )
})

test('every file outside of specs is short', () => {
  const long = handWritten.filter((file) => !isSpec(file) && file.lines > MAX_FILE_LINES)
  assertAtMostRemaining(
    'long files',
    long.map(({ path, lines }) => `${path} ${lines}`),
  )
})

test('another file imports each exported name', () => {
  assertAtMostRemaining('unused exports', findUnusedExports(all))
})

test('no files import each other in a circle', () => {
  assertAtMostRemaining(
    'import circles',
    findImportCircles(product).map((circle) => circle.join(' ')),
  )
})
