import { TARGETS } from '../../src/export/index.ts'
import type { Target } from '../../src/export/target.ts'
import { PROCESS_KEYS } from '../../src/config/schema.ts'
import type { ProcessKey } from '../../src/generated/keys.ts'
import { toSettingsKey } from '../../src/core/notation.ts'
import { changesFor, effectOf } from '../../test/support/export-changes.ts'
import { table } from './markdown.ts'

/** What each target makes of each key, found by changing the key and looking at what is written. */
export function renderExports(): string {
  const keys = PROCESS_KEYS.filter((key) =>
    TARGETS.some((target) => changesFor(target).some((change) => change.key === key)),
  )
  const rows = keys.map((key) => [`\`${toSettingsKey(key)}\``, ...TARGETS.map((target) => summary(target, key))])
  return `# Exports

\`prodserver export TARGET\` writes what \`run\` would start for another program to run. What that program has no word for is
printed as \`W801\`, with what happens instead.

- ●: it is written
- ◐: some of it is, and the rest is said
- ○: it is said to be lost

${table(['key', ...TARGETS.map(({ title }) => title)], rows)}
${TARGETS.map(renderTarget).join('\n')}`
}

function summary(target: Target, key: ProcessKey): string {
  const effects = changesFor(target)
    .filter((change) => change.key === key)
    .map((change) => effectOf(target, change))
  if (effects.length === 0) return ''
  if (effects.every(({ losses }) => losses.length === 0)) return '●'
  return effects.some(({ isWritten }) => isWritten) ? '◐' : '○'
}

function renderTarget(target: Target): string {
  const said = changesFor(target).flatMap((change) =>
    effectOf(target, change).losses.map((message) => [`\`${toSettingsKey(change.key)}\``, message] as const),
  )
  const rows = [...new Map(said.map((row) => [row.join(' '), row])).values()]
  return `## ${target.title}

${table(['key', 'what happens instead, for a process named `it`'], rows)}`
}
