import { printElapsed } from '../../core/durations.ts'
import type { InstanceStatus, LastExit, Why } from '../../control/protocol.ts'
import { plural } from '../../core/plural.ts'
import { type Paint } from './print.ts'
import { printable } from './render-log.ts'
import { STATE_STYLES } from './process-table.ts'
import { renderClock } from './render-time.ts'

/** Why an instance is in its state, with the evidence, and the next thing to type. */
export function renderWhy(why: Why, nowMs: number, paint: Paint, utc = false): string {
  const { status, wanted, recentExits, lastLines, hint } = why
  const { lastExit, beside } = status
  const rows: (readonly [string, string])[] = [['wanted', wanted]]
  if (status.pid !== null) rows.push(['pid', `${status.pid}, life ${status.invocation}`])
  if (lastExit) rows.push(['last life', describeExit(lastExit, utc)])
  if (recentExits.length > 1) rows.push(['pattern', describePattern(recentExits)])
  if (beside) rows.push(['beside it', `life ${beside.invocation}, pid ${beside.pid ?? '-'}, ${beside.state}`])
  const lines = [`${headline(why, nowMs, paint)}\n`]
  for (const [name, text] of rows) lines.push(`  ${paint('dim', name.padEnd(9))}  ${text}\n`)
  if (lastLines.length > 0) lines.push(`  ${paint('dim', 'last output')}\n`)
  for (const line of lastLines) lines.push(`    ${printable(line, false)}\n`)
  if (hint) lines.push(`${paint('bold', 'Next:')} ${hint}\n`)
  return lines.join('')
}

function headline({ status, attempt }: Why, nowMs: number, paint: Paint): string {
  const tries = attempt ? ` (attempt ${attempt.number} of ${attempt.limit})` : ''
  const reason =
    status.reason && status.reason !== status.lastExit?.words ? ` ${status.reason.replace(/\.?$/, '.')}` : ''
  const words = paint(STATE_STYLES[status.state], describeState(status, nowMs))
  return `${paint('bold', status.instance)} ${words}${tries}.${reason}`
}

function describeState({ state, since, nextAt, waitingFor }: InstanceStatus, nowMs: number): string {
  const lasted = printElapsed(nowMs - Date.parse(since))
  const next = nextAt === null ? '' : `, in ${printElapsed(Math.max(0, Date.parse(nextAt) - nowMs))}`
  switch (state) {
    case 'waiting':
      return waitingFor.length > 0
        ? `waits for ${waitingFor.join(', ')}, for ${lasted} now`
        : `waits for its next time${next}`
    case 'starting':
      return `was started ${lasted} ago and is not ready yet`
    case 'running':
      return `runs and is ready, for ${lasted} now`
    case 'stopping':
      return `was asked to stop ${lasted} ago, and finishes its work`
    case 'backoff':
      return `is waiting to be started again${next}`
    case 'failed':
      return `failed ${lasted} ago, and is not started again`
    case 'done':
      return `ran to completion ${lasted} ago`
    case 'stopped':
      return `was stopped ${lasted} ago`
  }
}

const describeExit = ({ words, ranMs, at }: LastExit, utc: boolean): string =>
  `${printElapsed(ranMs)}, ${words}, ${renderClock(Date.parse(at), utc).slice(0, 8)}`

/** How often, how fast, and whether always in the same way. */
function describePattern(exits: readonly LastExit[]): string {
  const times = exits.map(({ at }) => Date.parse(at))
  const span = Math.max(...times) - Math.min(...times)
  const longest = Math.max(...exits.map(({ ranMs }) => ranMs))
  const ways = [...new Set(exits.map(({ words }) => words))]
  const same = ways.length === 1 ? `, each time ${ways[0]}` : ''
  return `${plural(exits.length, 'exit')} in ${printElapsed(span)}, all within ${printElapsed(longest)} of the start${same}`
}
