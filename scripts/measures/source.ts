/** The repository's TypeScript files, parsed. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Node, parseSync, type Program, visitorKeys } from 'oxc-parser'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const PATTERNS = ['src/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts']

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  path: string
  text: string
  lines: number
  program: Program
}

/** A place in a file, as editors and terminals link it: `src/bin.ts:12`. */
export type Location = string

/** Reads and parses every TypeScript file of the repository. */
export function readSourceFiles(): SourceFile[] {
  return globSync(PATTERNS, { cwd: ROOT })
    .map((path) => normalize(path).replaceAll('\\', '/'))
    .toSorted()
    .map(readSourceFile)
}

function readSourceFile(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return parseSource(path, text)
}

/** Parses the text of one file. Parentheses leave no trace in the result. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text, { preserveParens: false })
  if (errors.length > 0) throw new Error(`cannot parse ${path}: ${errors[0]?.message}`)
  return { path, text, lines: text.split('\n').length - 1, program }
}

export const isSpec = ({ path }: SourceFile): boolean => path.endsWith('.spec.ts')

export const isGenerated = ({ path }: SourceFile): boolean => path.startsWith('src/generated/')

/** Tells the product's hand-written code from its specs and from generated files. */
export function isProductCode(file: SourceFile): boolean {
  return file.path.startsWith('src/') && !isSpec(file) && !isGenerated(file)
}

export function lineOf({ text }: SourceFile, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

export function locate(file: SourceFile, node: Node): Location {
  return `${file.path}:${lineOf(file, node.start)}`
}

/** Calls `visit` with each node below `node` and its parent, outer nodes first. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  visit(node, parent)
  for (const key of visitorKeys[node.type] ?? []) {
    const value = (node as unknown as Record<string, Node | (Node | null)[] | null>)[key]
    for (const child of Array.isArray(value) ? value : [value]) if (child) walk(child, visit, node)
  }
}
