/** Prints how the code is structured: `node scripts/measures.ts`, or with `--list` every finding. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findImportCircles, findUnusedExports } from './measures/modules.ts'
import { isProductCode, readSourceFiles, ROOT } from './measures/source.ts'
import {
  findConditionals,
  findConditionalSpreads,
  findNestedConditionals,
  type FunctionLength,
  measureFunctions,
} from './measures/syntax.ts'

interface Measure {
  name: string
  value: number | string
  findings: readonly string[]
}

const all = readSourceFiles()
const product = all.filter(isProductCode)
const python = globSync('src/**/*.py', { cwd: ROOT }).map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), 'utf8'),
}))

const counted = (name: string, findings: readonly string[]): Measure => ({ name, value: findings.length, findings })

function measureAll(): Measure[] {
  const lines = product.reduce((sum, file) => sum + file.lines, 0)
  const functions = product.flatMap(measureFunctions).toSorted((a, b) => b.lines - a.lines)
  const conditionals = product.flatMap(findConditionals)
  return [
    { name: 'TypeScript lines', value: lines, findings: [] },
    { name: 'Python lines', value: python.reduce((sum, { text }) => sum + countLines(text), 0), findings: [] },
    { name: 'conditionals per 1,000 lines', value: ((conditionals.length / lines) * 1000).toFixed(1), findings: [] },
    counted('nested conditionals', product.flatMap(findNestedConditionals)),
    counted('conditional spreads', product.flatMap(findConditionalSpreads)),
    { name: 'largest file', value: Math.max(...product.map((file) => file.lines)), findings: largestFiles() },
    { name: 'function lines, 95th percentile', value: percentile(functions, 0.95), findings: [] },
    counted('functions over 60 lines', functions.filter(({ lines }) => lines > 60).map(describe)),
    counted('exports that no other file imports', findUnusedExports(all)),
    counted('import circles', findImportCircles(product).map(describeCircle)),
    counted('files that mention umask', filesThatMention('umask')),
  ]
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}

function percentile(functions: readonly FunctionLength[], share: number): number {
  return functions[Math.floor(functions.length * (1 - share))]?.lines ?? 0
}

function largestFiles(): string[] {
  const large = product.filter(({ lines }) => lines > 400).toSorted((a, b) => b.lines - a.lines)
  return large.map(({ path, lines }) => `${path} ${lines}`)
}

function describe({ location, lines }: FunctionLength): string {
  return `${location} ${lines}`
}

function describeCircle(circle: readonly string[]): string {
  return `${circle.length}: ${circle.join(' ')}`
}

function filesThatMention(word: string): string[] {
  const handWritten = [...product, ...python].filter(({ path }) => !path.startsWith('src/explain/pages/'))
  const pattern = new RegExp(word, 'i')
  return handWritten.filter(({ text }) => pattern.test(text)).map(({ path }) => path)
}

const list = process.argv.includes('--list')
for (const { name, value, findings } of measureAll()) {
  process.stdout.write(`${String(value).padStart(8)}  ${name}\n`)
  if (list) process.stdout.write(findings.map((finding) => `          ${finding}\n`).join(''))
}
