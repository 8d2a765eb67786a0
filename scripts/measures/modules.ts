/** Measures that need all files: exports that no other file imports, and circles of imports. */
import { dirname, join } from 'node:path/posix'
import type { Node } from 'oxc-parser'
import { isGenerated, isSpec, type SourceFile, walk } from './source.ts'

/** Stands for every name of a file, where the importing code does not say which it uses. */
const EVERY_NAME = '*'

interface Import {
  /** Path of the imported file, from the repository's root. */
  target: string
  name: string
}

/** Files whose exports other programs use: the program itself, what other packages import, and checks of types. */
const ENTRY_POINTS = /^(src\/(bin|program|index)\.ts|test\/types\/)/

/** Finds names that a file of the product exports and no other file imports, as `FILE NAME`. */
export function findUnusedExports(files: readonly SourceFile[]): string[] {
  const used = new Set(files.flatMap(importsOf).map(({ target, name }) => `${target} ${name}`))
  return files
    .filter((file) => !ENTRY_POINTS.test(file.path) && !isSpec(file) && !isGenerated(file))
    .filter(({ path }) => !used.has(`${path} ${EVERY_NAME}`))
    .flatMap((file) => exportsOf(file).map((name) => `${file.path} ${name}`))
    .filter((name) => !used.has(name))
}

function exportsOf({ program }: SourceFile): string[] {
  return program.body.flatMap((statement) => {
    if (statement.type === 'ExportDefaultDeclaration') return ['default']
    if (statement.type !== 'ExportNamedDeclaration') return []
    const specifiers = statement.specifiers.map(({ exported }) => nameOf(exported))
    return statement.declaration ? namesOf(statement.declaration) : specifiers
  })
}

function namesOf(declaration: Node): string[] {
  if (declaration.type !== 'VariableDeclaration') return 'id' in declaration ? [nameOf(declaration.id)] : []
  return declaration.declarations.map(({ id }) => nameOf(id))
}

/** Lists what a file imports from the repository's other files, types included. */
function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = []
  const add = (source: Node, names: readonly string[]): void => {
    if (source.type !== 'Literal' || typeof source.value !== 'string' || !source.value.startsWith('.')) return
    const target = join(dirname(file.path), source.value)
    imports.push(...names.map((name) => ({ target, name })))
  }
  walk(file.program, (node, parent) => {
    if (node.type === 'ImportDeclaration') add(node.source, node.specifiers.map(importedName))
    if (node.type === 'ExportNamedDeclaration' && node.source)
      add(
        node.source,
        node.specifiers.map(({ local }) => nameOf(local)),
      )
    if (node.type === 'ExportAllDeclaration') add(node.source, [EVERY_NAME])
    if (node.type === 'TSImportType') add(node.source, [EVERY_NAME])
    if (node.type === 'ImportExpression') add(node.source, dynamicNames(file, parent))
  })
  return imports
}

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportSpecifier') return nameOf(specifier.imported)
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : EVERY_NAME
}

/** Guesses what an `import()` is used for: a function that returns it hands on every name, else identifiers count. */
function dynamicNames(file: SourceFile, parent: Node | undefined): string[] {
  if (parent?.type === 'ArrowFunctionExpression') return [EVERY_NAME]
  return [...new Set(file.text.match(/\b[A-Za-z_]\w*\b/g))]
}

function nameOf(node: Node | null): string {
  if (node?.type === 'Identifier') return node.name
  return node?.type === 'Literal' ? String(node.value) : ''
}

/** Finds groups of files that import each other, directly or through others (Tarjan's algorithm). */
export function findImportCircles(files: readonly SourceFile[]): string[][] {
  const graph = new Map(files.map((file) => [file.path, new Set(importsOf(file).map(({ target }) => target))]))
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  const visit = (path: string): number => {
    const index = order.size
    order.set(path, index)
    lowest.set(path, index)
    stack.push(path)
    for (const target of graph.get(path) ?? []) {
      const reached = order.has(target) ? openIndex(target) : visit(target)
      lowest.set(path, Math.min(lowest.get(path) ?? index, reached))
    }
    if (lowest.get(path) === index) closeCircle(path)
    return lowest.get(path) ?? index
  }
  const openIndex = (path: string): number => (stack.includes(path) ? (order.get(path) ?? Infinity) : Infinity)
  const closeCircle = (path: string): void => {
    const circle = stack.splice(stack.indexOf(path))
    if (circle.length > 1) circles.push(circle.toSorted())
  }
  for (const path of graph.keys()) if (!order.has(path)) visit(path)
  return circles
}
