import { EXIT, isProblemId, UsageError } from '../../../core/errors.ts'
import { nearest } from '../../../core/values.ts'
import { isSilenceable } from '../../../plan/checks/silence.ts'
import type { ContextOf } from '../../command.ts'
import type { FLAGS } from './flags.ts'
import { renderForTerminal } from './render.ts'

/** Prints the page of the reference on one problem. */
export async function execute({ operands, io, paint }: ContextOf<typeof FLAGS>): Promise<number> {
  const [given] = operands
  if (given === undefined) throw new UsageError('Name a problem.', 'Such as: prodserver explain E303')
  const { renderPage, PROBLEM_PAGES } = await import('../../../explain/index.ts')
  // Accepts the form of SILENCED_SYSTEM_CHECKS, too.
  const id = given.toUpperCase().replace(/^PRODSERVER\./, '')
  const page = isProblemId(id) ? renderPage(id, isSilenceable(id)) : undefined
  if (page === undefined) {
    const near = nearest(id, Object.keys(PROBLEM_PAGES))
    throw new UsageError(`There is no problem ${given}.`, near && `Did you mean ${near}?`)
  }
  io.stdout.write(renderForTerminal(page, paint))
  return EXIT.done
}
