import type { Paint } from '../../output/print.ts'

/** Renders Markdown without its marks: headings are bold, and code is indented. */
export function renderForTerminal(page: string, paint: Paint): string {
  let isCode = false
  const lines = page.split('\n').flatMap((line): readonly string[] => {
    if (line.startsWith('```')) {
      isCode = !isCode
      return []
    }
    if (isCode) return [line === '' ? '' : `    ${line}`]
    const heading = /^#+ (.*)$/.exec(line)?.[1]
    if (heading !== undefined) return [paint('bold', heading)]
    return [line.replaceAll('`', '')]
  })
  const text = lines.join('\n').replace(/\n{3,}/g, '\n\n')
  return `${text.trimEnd()}\n`
}
