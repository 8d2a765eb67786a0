import { DEFAULT, isWritten, originsOfKey } from '../../../plan/origins.ts'
import type { Plan, PlannedProcess } from '../../../plan/plan.ts'
import { SHOWN_KEYS } from '../../../plan/shown-keys.ts'
import type { Value } from '../../../core/secret.ts'
import { quoteWord } from '../../../core/shell-words.ts'
import { displayWidth, padEnd, type Paint } from '../../output/print.ts'

/** What stands before, the value, where it comes from, and the file and line of that. */
export type Row = readonly [name: string, value: string, from?: string | undefined, at?: string | undefined]

export interface RenderPlan {
  readonly paint: Paint
  readonly show: (value: Value) => string
  /** The file and the line of a place. */
  readonly at: (place: string) => string | undefined
}

export function projectRows({ project: { root, settings, python, config } }: Plan): readonly Row[] {
  return [
    ['project', root],
    ...(config ? [['config', config.path, config.reason] as const] : []),
    ...(settings ? [['settings', settings.module, settings.reason] as const] : []),
    ...(python ? [['python', `${python.path} (${python.version})`, python.reason] as const] : []),
  ]
}

/** One process: what it is, its command line, and every value that is not the default, with where it comes from. */
export function renderProcess(planned: PlannedProcess, { paint, show, at }: RenderPlan): string {
  const { name, title, kind, instances, enabled } = planned
  const what = [
    `${title}, ${kind}`,
    ...(instances > 1 ? [`${instances} instances`] : []),
    ...(enabled ? [] : ['disabled']),
  ]
  const rows = [
    ...wordRows(planned, show),
    ...variableRows(planned, show),
    ...keyRows(planned),
    ...planned.notes.map((note): Found => ['note', note, []]),
  ].map(([label, value, from]): Row => [label, value, from.join(', '), from.map(at).find(Boolean)])
  return `${paint('bold', paint('cyan', name))}  ${what.join(', ')}\n  ${pasteable(planned, show)}\n${renderRows(rows, paint)}`
}

/** What stands before, the value, and the places that it comes from. */
type Found = readonly [name: string, value: string, from: readonly string[]]

function wordRows({ argv, argvFrom }: PlannedProcess, show: RenderPlan['show']): readonly Found[] {
  const words = argv.flatMap((word, index): Found[] => {
    const from = argvFrom[index] ?? ''
    return index > 0 && isWritten(from) ? [['', inOneLine(show(word)), [from]]] : []
  })
  return label('from', words)
}

function variableRows({ env }: PlannedProcess, show: RenderPlan['show']): readonly Found[] {
  const variables = Object.entries(env).map(([name, { value, from }]): Found => {
    const text = value === null ? `${name} is removed` : `${name}=${inOneLine(show(value))}`
    return ['', text, [from]]
  })
  return label('environment', variables)
}

/** A line break in a value, such as that of a certificate, would end the row. */
const inOneLine = (text: string): string =>
  text.replace(/[\r\n\t]/g, (character) => JSON.stringify(character).slice(1, -1))

const label = (name: string, rows: readonly Found[]): readonly Found[] =>
  rows.map(([, ...rest], index) => [index === 0 ? name : '', ...rest])

function keyRows(planned: PlannedProcess): readonly Found[] {
  const { origins, from: places, listen } = planned
  const rows = SHOWN_KEYS.flatMap(({ key, label, isAlwaysShown, show }): Found[] => {
    const value = show(planned)
    const from = originsOfKey(origins, key, places[key])
    const isShown = value !== null && (isAlwaysShown || from.some(isWritten))
    return isShown ? [[label, value, from.filter((origin) => origin !== DEFAULT)]] : []
  })
  const listens: Found[] = listen.length > 0 ? [['listens on', listen.join(', '), []]] : []
  return [...rows.slice(0, 2), ...listens, ...rows.slice(2)]
}

/** One line for a POSIX shell that starts the same program in the same way. */
function pasteable({ argv, env, cwd }: PlannedProcess, show: RenderPlan['show']): string {
  const variables = Object.entries(env)
  const set = variables.flatMap(([name, { value }]) => (value === null ? [] : [`${name}=${quoteWord(show(value))}`]))
  const unset = variables.flatMap(([name, { value }]) => (value === null ? ['-u', name] : []))
  const environment = unset.length > 0 || set.length > 0 ? ['env', ...unset, ...set] : []
  return [`cd ${quoteWord(cwd)} &&`, ...environment, ...argv.map((word) => quoteWord(show(word)))].join(' ')
}

/** A value that is wider than that does not widen the column. */
const WIDEST = 60

export function renderRows(rows: readonly Row[], paint: Paint): string {
  const column = (index: 1 | 2, next: 2 | 3): number =>
    Math.max(0, ...rows.map((row) => (row[next] ? Math.min(displayWidth(row[index] ?? ''), WIDEST) : 0)))
  const [values, places] = [column(1, 2), column(2, 3)]
  return rows
    .map(([name, value, from, at]) => {
      const where = at ? `${padEnd(from ?? '', places)}  ${at}` : from
      return `  ${paint('dim', name.padEnd(11))} ${where ? `${padEnd(value, values)}  ${paint('dim', where)}` : value}\n`
    })
    .join('')
}
