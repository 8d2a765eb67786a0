import type { Problem } from '../../../core/errors.ts'
import { reveal, type Value } from '../../../core/secret.ts'
import { quoteWord } from '../../../core/shell-words.ts'
import { DEFAULT, isWritten, originsOfKey } from '../../../plan/origins.ts'
import type { Plan, PlannedProcess } from '../../../plan/plan.ts'
import { SHOWN_KEYS } from '../../../plan/shown-keys.ts'
import { displayWidth, padEnd, type Paint } from '../../output/print.ts'

/** The file and the line of a place in the declaration. */
type FindPlace = (place: string) => string | undefined

interface RenderPlan {
  readonly paint: Paint
  readonly reveals: boolean
  /** Files below this folder are shown from there. */
  readonly cwd: string
  readonly find: FindPlace
}

/** Renders the project and its processes, with the origin of each value. */
export function renderPlan(plan: Plan, { paint, reveals, cwd, find }: RenderPlan): string {
  const how = {
    paint,
    show: reveals ? reveal : String,
    at: (place: string): string | undefined => find(place)?.replace(`${cwd}/`, ''),
  }
  const processes = plan.processes.map((planned) => renderProcess(planned, how))
  return [renderRows(projectRows(plan), paint), ...processes].join('\n')
}

/** The plan as one JSON object, with the lines of the files that its values come from. */
export function planToJson(plan: Plan, problems: readonly Problem[], find: FindPlace): string {
  const places = plan.processes.flatMap(({ argvFrom, env, origins }) => [
    ...argvFrom,
    ...Object.values(env).map(({ from }) => from),
    ...Object.values(origins),
  ])
  const lines: Record<string, string> = {}
  for (const place of places) {
    const at = find(place)
    if (at !== undefined) lines[place] = at
  }
  return `${JSON.stringify({ ...plan, lines, problems })}\n`
}

/** One row: label, value, origin of the value, and the file and line of the origin. */
type Row = readonly [name: string, value: string, from?: string | undefined, at?: string | undefined]

interface RenderProcess {
  readonly paint: Paint
  readonly show: (value: Value) => string
  readonly at: FindPlace
}

function projectRows({ project: { root, settings, python, config } }: Plan): readonly Row[] {
  const rows: Row[] = [['project', root]]
  if (config) rows.push(['config', config.path, config.reason])
  if (settings) rows.push(['settings', settings.module, settings.reason])
  if (python) rows.push(['python', `${python.path} (${python.version})`, python.reason])
  return rows
}

/** One process: what it is, its command line, and every value that is not the default, with where it comes from. */
function renderProcess(planned: PlannedProcess, { paint, show, at }: RenderProcess): string {
  const { name, title, kind, instances, enabled } = planned
  const what = [`${title}, ${kind}`, instances > 1 && `${instances} instances`, !enabled && 'disabled'].filter(Boolean)
  const rows = [
    ...wordRows(planned, show),
    ...variableRows(planned, show),
    ...keyRows(planned),
    ...planned.notes.map((note): Found => ['note', note, []]),
  ].map(([label, value, from]): Row => [label, value, from.join(', '), from.map(at).find(Boolean)])
  return `${paint('bold', paint('cyan', name))}  ${what.join(', ')}\n  ${pasteable(planned, show)}\n${renderRows(rows, paint)}`
}

/** One row of a process: label, value, and the origins of the value. */
type Found = readonly [name: string, value: string, from: readonly string[]]

function wordRows({ argv, argvFrom }: PlannedProcess, show: RenderProcess['show']): readonly Found[] {
  const words = argv.flatMap((word, index): Found[] => {
    const from = argvFrom[index] ?? ''
    return index > 0 && isWritten(from) ? [['', inOneLine(show(word)), [from]]] : []
  })
  return label('from', words)
}

function variableRows({ env }: PlannedProcess, show: RenderProcess['show']): readonly Found[] {
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
function pasteable({ argv, env, cwd }: PlannedProcess, show: RenderProcess['show']): string {
  const variables = Object.entries(env)
  const set = variables.flatMap(([name, { value }]) => (value === null ? [] : [`${name}=${quoteWord(show(value))}`]))
  const unset = variables.flatMap(([name, { value }]) => (value === null ? ['-u', name] : []))
  const environment = unset.length > 0 || set.length > 0 ? ['env', ...unset, ...set] : []
  return [`cd ${quoteWord(cwd)} &&`, ...environment, ...argv.map((word) => quoteWord(show(word)))].join(' ')
}

/** A wider value does not widen the column. */
const WIDEST = 60

function renderRows(rows: readonly Row[], paint: Paint): string {
  const column = (index: 1 | 2, next: 2 | 3): number =>
    Math.max(0, ...rows.map((row) => (row[next] ? Math.min(displayWidth(row[index] ?? ''), WIDEST) : 0)))
  const [values, places] = [column(1, 2), column(2, 3)]
  return rows
    .map(([name, value, from, at]) => {
      const where = at ? `${padEnd(from ?? '', places)}  ${at}` : from
      const shown = where ? `${padEnd(value, values)}  ${paint('dim', where)}` : value
      return `  ${paint('dim', name.padEnd(11))} ${shown}\n`
    })
    .join('')
}
