import type { Proposal, ReadFile } from '../../../init/index.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import type { Paint } from '../../output/print.ts'

/** Processes that `init` found in the project. */
export interface FoundProcesses {
  readonly root: string
  readonly files: readonly ReadFile[]
  readonly processes: readonly Proposal[]
  /** Found, and not proposed. */
  readonly skipped: readonly { readonly from: string; readonly reason: string }[]
}

export function renderAlreadyDeclared(answer: SettingsAnswer, cwd: string, paint: Paint): string {
  return [
    `Processes are declared already, in ${placeOf(answer, cwd)}: ${answer.order.join(', ')}.\n`,
    `${paint('cyan', '→')} Look: prodserver show. Add to it by hand, or remove it first\n`,
  ].join('')
}

function placeOf({ lines = [], settingsFile, config }: SettingsAnswer, cwd: string): string {
  const at = lines.find(([path]) => path.length === 1 && path[0] === 'PRODUCTION_PROCESSES')?.[1]
  const place = at ?? config?.file ?? settingsFile ?? ''
  return place.startsWith(`${cwd}/`) ? place.slice(cwd.length + 1) : place
}

export function toJson({ processes, skipped, files }: FoundProcesses): string {
  const described = files.map((file) =>
    'error' in file ? file : { file: file.file, processes: file.found.map(({ name }) => name) },
  )
  return `${JSON.stringify({ processes, skipped, files: described })}\n`
}

/** The files that were read, and what is left out of the proposal. */
export function renderFound({ files, skipped }: FoundProcesses, paint: Paint): string {
  const left = skipped.map(({ from, reason }) => `  ${paint('dim', `${from} is left out: ${reason}`)}\n`)
  return [...files.map((file) => renderFile(file, paint)), ...left].join('')
}

function renderFile(file: ReadFile, paint: Paint): string {
  if ('error' in file) return `  ${paint('yellow', file.file)} cannot be read: ${file.error}\n`
  return `  ${paint('cyan', file.file)}: ${file.found.map(({ name }) => name).join(', ')}\n`
}

export function renderNext(file: string, processes: readonly Proposal[], paint: Paint): string {
  const names = processes.map(({ name }) => name).join(', ')
  return [
    `${paint('green', 'Added')} to ${file}: ${names}.`,
    '',
    'Next:',
    '  prodserver check       what is wrong, before anything starts',
    '  prodserver up          start it all',
    '',
  ].join('\n')
}
