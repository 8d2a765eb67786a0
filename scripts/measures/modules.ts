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

/** Finds groups of files that import each other, directly or through others, types included. */
export function findImportCircles(files: readonly SourceFile[]): readonly (readonly string[])[] {
  return findCircles(new Map(files.map((file) => [file.path, importsOf(file).map(({ target }) => target)])))
}

/** Finds groups of nodes in a graph that reach each other. */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const reached = new Map([...graph.keys()].map((node) => [node, reachableFrom(node, graph)]))
  const together = (node: string): readonly string[] =>
    [...(reached.get(node) ?? [])].filter((other) => reached.get(other)?.has(node)).toSorted()
  const groups = [...graph.keys()].map(together).filter((group) => group.length > 0)
  return [...new Map(groups.map((group) => [group.join(), group])).values()]
}

function reachableFrom(start: string, graph: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set<string>()
  const open = [...(graph.get(start) ?? [])]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (reached.has(node)) continue
    reached.add(node)
    open.push(...(graph.get(node) ?? []))
  }
  return reached
}
