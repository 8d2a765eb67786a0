import type { Json } from '../../src/core/types.ts'
import { SCHEMAS } from '../../src/control/schemas.ts'

type Fields = { readonly [key: string]: Json }

/** Renders types of the control API as TypeScript, with their descriptions as comments. */
export const renderShapes = (names: readonly (keyof typeof SCHEMAS)[]): string => `\`\`\`ts
${names.map((name) => declarationOf(name, SCHEMAS[name].json)).join('\n\n')}
\`\`\`
`

function declarationOf(name: string, schema: Fields): string {
  const comment = commentOf(schema, '')
  if (schema['properties'] === undefined) return `${comment}type ${name} = ${typeOf(schema)}`
  const members = membersOf(schema).map(({ text, comment: own }) => `${own}  ${text}\n`)
  return `${comment}interface ${name} {\n${members.join('')}}`
}

const commentOf = ({ description }: Fields, indent: string): string =>
  typeof description === 'string' ? `${indent}/** ${description} */\n` : ''

interface Member {
  readonly text: string
  readonly comment: string
}

function membersOf(schema: Fields): readonly Member[] {
  const required = schema['required'] as readonly string[]
  return Object.entries(schema['properties'] as Readonly<Record<string, Fields>>).map(([name, member]) => ({
    text: `${name}${required.includes(name) ? '' : '?'}: ${typeOf(member)}`,
    comment: commentOf(member, '  '),
  }))
}

function typeOf(schema: Fields): string {
  const { $ref: ref, enum: words, type, items, additionalProperties } = schema
  const choices = (schema['anyOf'] ?? schema['oneOf']) as readonly Fields[] | undefined
  if (typeof ref === 'string') return ref.slice(ref.lastIndexOf('/') + 1)
  if ('const' in schema) return JSON.stringify(schema['const'])
  if (choices) return choices.map(typeOf).join(' | ')
  if (words) return (words as readonly string[]).map((word) => `'${word}'`).join(' | ')
  if (type === 'array') return `${typeOf(items as Fields)}[]`
  if (schema['properties'])
    return `{ ${membersOf(schema)
      .map(({ text }) => text)
      .join('; ')} }`
  if (type === 'object') return `Record<string, ${typeOf(additionalProperties as Fields)}>`
  return type === 'integer' ? 'number' : (type as string)
}
