import { EXIT, isProblemId, UsageError } from '../../../core/errors.ts'
import { isSilenceable } from '../../../plan/checks/silence.ts'
import { nearest } from '../../../core/values.ts'
import type { CommandContext } from '../index.ts'
import type { Paint } from '../../output/print.ts'

/** Prints the page of the reference on one problem. */
export async function execute({ options, io, paint }: CommandContext): Promise<number> {
  const [given] = options.positionals
  if (given === undefined) throw new UsageError('Name a problem.', 'Such as: prodserver explain E303')
  const { renderPage, PROBLEM_PAGES } = await import('../../../explain/index.ts')
  // As it stands among SILENCED_SYSTEM_CHECKS, too.
  const id = given.toUpperCase().replace(/^PRODSERVER\./, '')
  const page = isProblemId(id) ? renderPage(id, isSilenceable(id)) : undefined
  if (page === undefined) {
    const near = nearest(id, Object.keys(PROBLEM_PAGES))
    throw new UsageError(`There is no problem ${given}.`, near && `Did you mean ${near}?`)
  }
  io.stdout.write(renderForTerminal(page, paint))
  return EXIT.done
}

/** Without the marks of Markdown: headings stand out, and code is set in. */
function renderForTerminal(page: string, paint: Paint): string {
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
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}
