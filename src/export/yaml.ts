import { Document, isMap, isScalar, Scalar, visit } from 'yaml'
import type { Json } from '../core/types.ts'

/** A JSON value, or undefined for a key to leave out. */
export type YamlValue = Json | undefined | readonly YamlValue[] | { readonly [key: string]: YamlValue }

interface YamlStyle {
  /** Paths of dictionaries with an empty line between their entries. */
  readonly apart?: readonly string[]
  /** Key whose value is an anchor, and the key of the entries that merge it with `<<`. */
  readonly anchor?: { readonly key: string; readonly name: string; readonly users: string }
}

/** Characters that some readers take for the end of a line, or refuse. */
const UNSAFE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g

/**
 * Writes a document that readers of YAML 1.1 and 1.2 read alike: text that either would take for another value is quoted.
 * Lines are never folded.
 */
export function toYaml(value: YamlValue, { apart = [], anchor }: YamlStyle = {}): string {
  const document = new Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && isMisread(node.value)) node.type = Scalar.QUOTE_DOUBLE
    },
    // A short list, such as a command line, stands on one line; a long list has a line for each item.
    Seq: (_, node) => {
      node.flow = node.items.every((item) => isScalar(item)) && JSON.stringify(node).length <= MAX_FLOW
    },
  })
  for (const path of apart) spread(document, path)
  if (anchor) share(document, anchor)
  const text = document.toString({ lineWidth: 0, blockQuote: false, flowCollectionPadding: false })
  return text
    .replace(/^( *)"<<": \*/gm, '$1<<: *')
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const MAX_FLOW = 100

/** Whether a reader or a person may take the text for a number or another value, or cannot see its characters. */
const isMisread = (text: string): boolean => /^(=|\d[\d.:]*)$/.test(text) || !/^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text)

function spread(document: Document, path: string): void {
  const node = path === '' ? document.contents : document.get(path)
  if (!isMap(node)) return
  for (const { key } of node.items.slice(1)) if (isScalar(key)) key.spaceBefore = true
}

/** Makes the value of a key an anchor, and merges it into each user before the user's own keys. */
function share(document: Document, { key, name, users }: NonNullable<YamlStyle['anchor']>): void {
  const shared = document.get(key)
  const list = document.get(users)
  if (!isMap(shared) || !isMap(list)) return
  shared.anchor = name
  for (const { value } of list.items)
    if (isMap(value)) value.items.unshift(document.createPair('<<', document.createAlias(shared, name)))
}
