import { readFileSync } from 'node:fs'

const source = readFileSync(new URL('../../src/control/protocol.ts', import.meta.url), 'utf8')

/** Types of the control API as they are declared, with their comments. */
export const renderShapes = (names: readonly string[]): string => `\`\`\`ts
${names.map(declarationOf).join('\n\n')}
\`\`\`
`

function declarationOf(name: string): string {
  const [, body = ''] =
    new RegExp(
      `^export ((?:interface ${name} (?:extends \\w+ )?\\{\\n[^]*?^\\})|(?:type ${name} = [^\\n]+))$`,
      'm',
    ).exec(source) ?? []
  if (body === '') throw new Error(`src/control/protocol.ts declares no ${name}`)
  return body
    .replace(/^(\s*)readonly /gm, '$1')
    .replace(/([{;] )readonly /g, '$1')
    .replaceAll('readonly string[]', 'string[]')
    .replace(/readonly (\w+\[\])/g, '$1')
}
