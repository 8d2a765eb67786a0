import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { join } from 'node:path'
import type { Problem } from '../../../core/errors.ts'
import type { FileChange } from '../../../export/index.ts'
import { plural } from '../../../core/plural.ts'
import { type Paint } from '../../output/print.ts'

/** Renders a single file as it is, and several files below their paths. */
export const renderFiles = (changes: readonly FileChange[], paint: Paint): string =>
  changes
    .map(({ path, after }) => {
      if (changes.length === 1) return after ?? ''
      return `${paint('bold', `==> ${path} <==`)}\n${after}\n`
    })
    .join('')

const WORDS = { new: 'written', changed: 'written', same: 'unchanged', stale: 'removed', foreign: 'kept' } as const
const COLOURS = { new: 'green', changed: 'yellow', same: 'dim', stale: 'red', foreign: 'dim' } as const

/** Renders one line for each file, and the commands to type next. */
export function renderWritten(
  folder: string,
  changes: readonly FileChange[],
  next: readonly string[],
  paint: Paint,
): string {
  const files = changes.map(({ path, is }) => `${paint(COLOURS[is], WORDS[is].padEnd(9))} ${join(folder, path)}\n`)
  const steps = next.map((line) => `  ${line}\n`).join('')
  return files.join('') + (steps === '' ? '' : `\nNext:\n${steps}`)
}

export function refuseForeign(folder: string, { path }: FileChange): Problem {
  return {
    id: 'E803',
    place: join(folder, path),
    message: 'This file is there, and prodserver has not written it for this target and name.',
    hint: 'Move it away, or export to another folder: --out',
  }
}

/** Renders the lines that differ, as `diff -u` shows them. */
export function renderDifferences(folder: string, changes: readonly FileChange[], paint: Paint): string {
  const different = changes.filter(({ is }) => is !== 'same')
  if (different.length === 0)
    return `${paint('green', 'Up to date')}: ${plural(changes.length, 'file')} in ${folder}.\n`
  return different
    .map(({ path, before = '', after = '' }) =>
      createTwoFilesPatch(path, path, before, after, undefined, undefined, { headerOptions: FILE_HEADERS_ONLY })
        .split('\n')
        .map((line) => paintPatch(line, paint))
        .join('\n'),
    )
    .join('')
}

function paintPatch(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('green', line)
  if (line.startsWith('-')) return paint('red', line)
  return line
}
