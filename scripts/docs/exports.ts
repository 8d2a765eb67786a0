import { PROCESS_KEYS } from '../../src/config/schema.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { ProcessKey } from '../../src/generated/keys.ts'
import { toSettingsKey } from '../../src/core/notation.ts'
import { TARGETS } from '../../src/export/index.ts'
import type { Target } from '../../src/export/target.ts'
import { changesFor, effectOf } from '../../test/support/export-changes.ts'
import { table } from './markdown.ts'

/** Writes the page on exports from the records of the targets. */
export function renderExports(): string {
  const rows = KEYS.map((key) => [nameOf(key), ...TARGETS.map((target) => markOf(target, key))])
  return `# Exports

\`prodserver export TARGET\` writes files from which another program starts what \`run\` would start. The export prints a
warning, \`W801\`, for each key that the target cannot express, and says what happens instead.

- ●: the files express the key
- ◐: the files express a part of the key
- ○: the files cannot express the key

${table(['key', ...TARGETS.map(({ title }) => title)], rows)}
${TARGETS.map(renderTarget).join('\n')}`
}

/** Keys with a row of their own. The row of another key covers the others. */
const KEYS = PROCESS_KEYS.filter((key) => TARGETS.some(({ support }) => !('partOf' in support[key])))

const nameOf = (key: ProcessKey): string => `\`${toSettingsKey(key)}\``

function markOf({ support }: Target, key: ProcessKey): string {
  const { expressedBy, unsupported } = support[key]
  if (expressedBy === undefined) return '○'
  return unsupported === undefined ? '●' : '◐'
}

function renderTarget(target: Target): string {
  const rows = KEYS.map((key) => [nameOf(key), target.support[key].expressedBy ?? '', insteadOf(target, key)])
  return `## ${target.title}

${table(['key', 'expressed by', 'what happens instead, for a process named `it`'], rows)}`
}

function insteadOf(target: Target, key: ProcessKey): string {
  const problems = changesFor(target, key).flatMap((change) => effectOf(target, change).problems)
  return [...new Set(problems.map(sentenceOf))].join('<br>')
}

const sentenceOf = ({ message, hint }: Problem): string => (hint === undefined ? message : `${message} → ${hint}`)
