type HclValue = string | number | boolean | readonly string[] | HclText

/** Lines to write without quotes, for a template. */
interface HclText {
  readonly heredoc: string
}

/** Lines `name = value` in the order in which they are written. A name whose value is undefined is left out. */
type HclAttributes = Readonly<Record<string, HclValue | undefined>>

/** A block: attributes, then blocks. */
export interface HclBlock {
  readonly head: string
  readonly attributes: HclAttributes
  readonly blocks: readonly HclBlock[]
}

export const block = (head: string, attributes: HclAttributes, blocks: readonly HclBlock[] = []): HclBlock => ({
  head,
  attributes,
  blocks,
})

/** Writes the beginning of a block with a label. */
export const labelled = (type: string, label: string): string => `${type} ${quoteHcl(label)}`

/** Writes a block in the format of `hclfmt`. */
export function toHcl({ head, attributes, blocks }: HclBlock, depth = 0): string {
  const indent = '  '.repeat(depth)
  const parts = [...toLines(attributes, depth + 1), ...blocks.map((inner) => toHcl(inner, depth + 1))]
  return `${indent}${head} {\n${parts.join('\n')}${indent}}\n`
}

/** Writes groups of lines with aligned values. A value of several lines is a group of its own. */
function toLines(attributes: HclAttributes, depth: number): readonly string[] {
  const indent = '  '.repeat(depth)
  const groups: { isLong: boolean; lines: (readonly [name: string, text: string])[] }[] = []
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    const text = toValue(value, indent)
    const isLong = text.includes('\n')
    const last = groups.at(-1)
    if (last && !last.isLong && !isLong) last.lines.push([name, text])
    else groups.push({ isLong, lines: [[name, text]] })
  }
  return groups.map(({ lines }) => {
    const width = Math.max(...lines.map(([name]) => name.length))
    return lines.map(([name, text]) => `${indent}${name.padEnd(width)} = ${text}\n`).join('')
  })
}

const MAX_LINE = 100

function toValue(value: HclValue, indent: string): string {
  if (typeof value === 'string') return quoteHcl(value)
  if (typeof value !== 'object') return String(value)
  if ('heredoc' in value) return `<<EOT\n${value.heredoc}EOT`
  const line = `[${value.map(quoteHcl).join(', ')}]`
  if (line.length <= MAX_LINE) return line
  return `[\n${value.map((item) => `${indent}  ${quoteHcl(item)},\n`).join('')}${indent}]`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** Quotes a string. `${` and `%{` begin an expression: the sign is doubled, or written as a code after another sign. */
export const quoteHcl = (text: string): string =>
  `"${text
    .replace(/[\\"\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    .replace(/([$%]+)\{/g, (_, signs: string) => `${signs.length === 1 ? signs + signs : signs.replace(/./g, codeOf)}{`)
    .replace(CONTROL, codeOf)}"`

// oxlint-disable-next-line no-control-regex -- Characters that a string cannot hold as they are.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/g

const codeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
