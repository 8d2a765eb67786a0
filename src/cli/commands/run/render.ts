import { isUnixAddress } from '../../../core/addresses.ts'
import type { Problem } from '../../../core/errors.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import type { Paint } from '../../output/print.ts'

/** Renders the title of the process, its addresses and its warnings, for the moment before it starts. */
export function renderAnnouncement(planned: PlannedProcess, warnings: readonly Problem[], paint: Paint): string {
  const { name, title, listen, notes } = planned
  const urls = listen.map((address) => (isUnixAddress(address) ? address : `http://${address}`))
  const where = urls.length > 0 ? ` on ${urls.join(', ')}` : ''
  return [
    `${paint('bold', name)}: ${title}${where}\n`,
    ...notes.map((note) => `  ${paint('dim', note)}\n`),
    ...warnings.map(({ id, place, message, hint }) => {
      const advice = hint ? ` ${hint}.` : ''
      return `  ${paint('yellow', id)} ${place}: ${message}${advice}\n`
    }),
  ].join('')
}
