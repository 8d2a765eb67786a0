/** Measures that need one file at a time. */
import type { Node } from 'oxc-parser'
import { lineOf, locate, type Location, type SourceFile, walk } from './source.ts'

const CONDITIONAL = 'ConditionalExpression'

/** Node types that hold the body of a function. */
const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

export interface FunctionLength {
  location: Location
  lines: number
}

/** Finds conditional expressions (`a ? b : c`). */
export function findConditionals(file: SourceFile): Location[] {
  return find(file, (node) => node.type === CONDITIONAL)
}

/** Finds conditional expressions that are an operand of another conditional expression. */
export function findNestedConditionals(file: SourceFile): Location[] {
  return find(file, (node, parent) => node.type === CONDITIONAL && parent?.type === CONDITIONAL)
}

/** Finds spreads of a condition's value, such as `...(a && { b })` and `...(a ? [b] : [])`. */
export function findConditionalSpreads(file: SourceFile): Location[] {
  return find(
    file,
    (node) => node.type === 'SpreadElement' && [CONDITIONAL, 'LogicalExpression'].includes(node.argument.type),
  )
}

/** Measures every function, method and arrow function from its first line to its last. */
export function measureFunctions(file: SourceFile): FunctionLength[] {
  const lengths: FunctionLength[] = []
  walk(file.program, (node) => {
    if (!FUNCTIONS.has(node.type)) return
    lengths.push({ location: locate(file, node), lines: lineOf(file, node.end) - lineOf(file, node.start) + 1 })
  })
  return lengths
}

function find(file: SourceFile, matches: (node: Node, parent: Node | undefined) => boolean): Location[] {
  const found: Location[] = []
  walk(file.program, (node, parent) => {
    if (matches(node, parent)) found.push(locate(file, node))
  })
  return found
}
