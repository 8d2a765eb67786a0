import type { Change, ProcessDiff } from '../../../plan/diff.ts'
import { displayWidth, padEnd, type Paint } from '../../output/print.ts'

const MARKS = {
  same: ['=', 'dim'],
  changed: ['~', 'yellow'],
  added: ['+', 'green'],
  removed: ['-', 'red'],
} as const

/** The name of a process, or a word for the environment of all. */
const nameOf = ({ process }: ProcessDiff): string => process ?? '(environment)'

export function renderDiffs(
  diffs: readonly ProcessDiff[],
  [from, to]: readonly [string, string],
  paint: Paint,
): string {
  const width = Math.max(...diffs.map((diff) => displayWidth(nameOf(diff))))
  const words = { same: 'the same', changed: 'changed', added: `only in ${to}`, removed: `only in ${from}` }
  return diffs
    .map((diff) => {
      const [mark, style] = MARKS[diff.is]
      const head = `${paint('bold', padEnd(nameOf(diff), width))}  ${paint(style, `${mark} ${words[diff.is]}`)}\n`
      return head + diff.changes.map((change) => `${' '.repeat(width + 4)}${renderChange(change, paint)}\n`).join('')
    })
    .join('')
}

function renderChange({ key, name, from, to }: Change, paint: Paint): string {
  const what = key === 'ARGS' ? '' : `${[key, name].filter(Boolean).join(' ')}  `
  if (from === null) return `${what}${paint('green', `+ ${to}`)}`
  if (to === null) return `${what}${paint('red', `- ${from}`)}`
  return `${what}${paint('red', from)} → ${paint('green', from === to ? `${to} (another one)` : to)}`
}
