/** One line of HCL, `name = value`; left out if the value is undefined. */
export type HclAttribute = readonly [name: string, value: HclValue | undefined]

type HclValue = string | number | boolean | readonly string[] | HclText | Readonly<Record<string, string>>

/** Lines to write without quotes, for a template. */
interface HclText {
  readonly heredoc: string
}

export interface HclBlock {
  readonly block: string
  readonly label: string | undefined
  readonly body: HclBody
}

/** Attributes and blocks in the order in which they are written. */
export type HclBody = readonly (HclAttribute | HclBlock)[]

export const block = (type: string, body: HclBody): HclBlock => ({ block: type, label: undefined, body })

export const labelled = (type: string, label: string, body: HclBody): HclBlock => ({ block: type, label, body })

/** Writes a body in the format of `hclfmt`, which aligns the values of consecutive attributes. */
export function toHcl(body: HclBody, depth = 0): string {
  const indent = '  '.repeat(depth)
  const parts: string[] = []
  let group: (readonly [string, string])[] = []
  const flush = (): void => {
    const width = Math.max(0, ...group.map(([name]) => name.length))
    if (group.length > 0) parts.push(group.map(([name, text]) => `${indent}${name.padEnd(width)} = ${text}\n`).join(''))
    group = []
  }
  for (const item of body) {
    if ('block' in item) {
      flush()
      const label = item.label === undefined ? '' : ` ${quoteHcl(item.label)}`
      parts.push(`${indent}${item.block}${label} {\n${toHcl(item.body, depth + 1)}${indent}}\n`)
      continue
    }
    const [name, value] = item
    if (value === undefined) continue
    const text = toValue(value, depth)
    // A value of several lines is not aligned with others.
    const isLong = text.includes('\n')
    if (isLong) flush()
    group.push([name, text])
    if (isLong) flush()
  }
  flush()
  return parts.join('\n')
}

function toValue(value: HclValue, depth: number): string {
  const indent = '  '.repeat(depth)
  if (typeof value === 'string') return quoteHcl(value)
  if (typeof value !== 'object') return String(value)
  if (isList(value)) {
    const line = `[${value.map(quoteHcl).join(', ')}]`
    if (line.length <= MAX_LINE) return line
    return `[\n${value.map((item) => `${indent}  ${quoteHcl(item)},\n`).join('')}${indent}]`
  }
  if (isText(value)) return `<<EOT\n${value.heredoc}EOT`
  const entries = Object.entries(value).map(([key, text]) => `${indent}  ${quoteHcl(key)} = ${quoteHcl(text)}\n`)
  return `{\n${entries.join('')}${indent}}`
}

const MAX_LINE = 100

const isList = (value: object): value is readonly string[] => Array.isArray(value)

const isText = (value: object): value is HclText => typeof (value as Partial<HclText>).heredoc === 'string'

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
    .replace(/([$%]+)\{/g, (_, signs: string) => (signs.length === 1 ? `${signs}${signs}{` : `${codesOf(signs)}{`))
    .replace(CONTROL, codeOf)}"`

const codesOf = (text: string): string => text.split('').map(codeOf).join('')

// oxlint-disable-next-line no-control-regex -- What must not stand in a string as it is.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/g

const codeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
