import type { ActionResult, ProcessEvent } from '../../control/protocol.ts'
import { EXIT } from '../../core/errors.ts'
import type { Application } from '../../supervisor/spec.ts'
import type { CommandContext } from '../command.ts'
import type { Paint, Style } from './print.ts'

/** Shows events as they happen, and what came of it all. */
interface Progress {
  readonly event: (event: ProcessEvent) => void
  /** Prints the result, and returns its exit code. */
  readonly result: (result: ActionResult) => number
}

const MARKS: Readonly<Partial<Record<ProcessEvent['type'], readonly [mark: string, style: Style]>>> = {
  ready: ['✓', 'green'],
  done: ['✓', 'green'],
  reloaded: ['✓', 'green'],
  stopped: ['✓', 'green'],
  skipped: ['=', 'dim'],
  adopted: ['=', 'green'],
  starting: ['…', 'dim'],
  waiting: ['…', 'dim'],
  stopping: ['…', 'dim'],
  reloading: ['…', 'dim'],
  exited: ['-', 'dim'],
  backoff: ['!', 'yellow'],
  killed: ['!', 'yellow'],
  note: ['!', 'yellow'],
  'log-lost': ['!', 'yellow'],
  'not-ready': ['✗', 'red'],
  failed: ['✗', 'red'],
  'reload-refused': ['✗', 'red'],
  'left-behind': ['✗', 'red'],
}

const NAME_WIDTH = 10

type ProgressContext = Pick<
  CommandContext<{ readonly json: boolean; readonly quiet: boolean }>,
  'io' | 'options' | 'paint' | 'errorPaint'
>

/** The longest name of an instance of each process. */
export const instanceNames = ({ specs }: Application): readonly string[] =>
  specs.filter(({ enabled }) => enabled).map(({ name, instances }) => `${name}.${instances}`)

/** `awaitsResult`: a result will come, and say what became of a reload. `names`: those that are known to come. */
export function createProgress(
  { io, options, paint, errorPaint }: ProgressContext,
  { awaitsResult = false, names = [] }: { readonly awaitsResult?: boolean; readonly names?: readonly string[] } = {},
): Progress {
  const { json: isJson, quiet: isQuiet } = options
  const shown = new Set<string | null>()
  const details = new Set<string>()
  // Who reads only the errors, in a file or a pipe, is to find the evidence there.
  const isSeen = io.stdout.isTerminal && io.stderr.isTerminal
  let width = Math.max(NAME_WIDTH, ...names.map(({ length }) => length))
  return {
    event: (event) => {
      if (SAYS_IT_ALL.has(event.type)) shown.add(event.process).add(event.instance)
      if (isJson) io.stdout.write(`${JSON.stringify({ event })}\n`)
      else if (!isQuiet && isShown(event) && !(awaitsResult && isRefusal(event))) {
        width = Math.max(width, nameOf(event).length)
        if (isSeen && hasDetails(event)) details.add(event.details)
        io.stdout.write(renderEventLine(event, paint, width))
      }
    },
    result: (result) => {
      if (isJson) io.stdout.write(`${JSON.stringify({ result })}\n`)
      else {
        const [good, bad] = renderResult(withoutShown(result, shown, details), paint, errorPaint)
        if (!isQuiet) io.stdout.write(good)
        io.stderr.write(bad)
        if (result.exitCode === EXIT.refused && result.changes.length === 0)
          io.stderr.write('This was not done: everything is being stopped.\n')
      }
      return result.exitCode
    },
  }
}

/** After these there is nothing to add. */
const SAYS_IT_ALL: ReadonlySet<ProcessEvent['type']> = new Set(['ready', 'done', 'stopped', 'skipped'])

/** Without the lines that would say once more what the lines above them said. */
const withoutShown = (
  { exitCode, changes }: ActionResult,
  shown: ReadonlySet<string | null>,
  details: ReadonlySet<string>,
): ActionResult => ({
  exitCode,
  changes: changes
    .filter(({ process: name, did, message }) => did === 'failed' || message !== '' || !shown.has(name))
    .map((change) => (change.details !== undefined && details.has(change.details) ? without(change) : change)),
})

const without = ({
  process: name,
  did,
  message,
}: ActionResult['changes'][number]): ActionResult['changes'][number] => ({
  process: name,
  did,
  message,
})

const isRefusal = ({ type, instance }: ProcessEvent): boolean => type === 'reload-refused' && instance === null

/** What says nothing that the next line does not say. */
const isShown = ({ type, exit, message }: ProcessEvent): boolean =>
  !['starting', 'stopping', 'reloading'].includes(type) &&
  !(type === 'exited' && (exit?.code === 0 || message.startsWith('stopped by ')))

const nameOf = ({ instance, process: name }: ProcessEvent): string => instance ?? name ?? 'prodserver'

const hasDetails = (event: ProcessEvent): event is ProcessEvent & { readonly details: string } => {
  const isBad = MARKS[event.type]?.[1] === 'red' || event.type === 'exited'
  return isBad && event.details !== undefined
}

function renderEventLine(event: ProcessEvent, paint: Paint, width = NAME_WIDTH): string {
  const { type, message } = event
  const [mark, style] = MARKS[type] ?? ['-', 'dim']
  const name = nameOf(event).padEnd(width)
  const line = `  ${name}  ${paint(style, mark)} ${style === 'dim' ? paint('dim', message) : message}\n`
  return hasDetails(event) ? line + indent(event.details, paint) : line
}

const indent = (text: string, paint: Paint): string =>
  text
    .split('\n')
    .map((line) => `      ${paint('dim', line)}\n`)
    .join('')

/** Words for a person, where those for a program are not. */
const DID_WORDS: Readonly<Record<string, string>> = { adopted: 'taken over' }

/** What was done, a line for each process, and apart from that what went wrong. */
function renderResult({ changes }: ActionResult, paint: Paint, errorPaint: Paint): readonly [string, string] {
  const width = Math.max(0, ...changes.map(({ process: name }) => name.length))
  const good = changes.filter(({ did }) => did !== 'failed' && did !== 'refused')
  const bad = changes.filter((change) => !good.includes(change))
  return [
    good
      .map(
        ({ process: name, did, message }) =>
          `${paint('bold', name.padEnd(width))}  ${DID_WORDS[did] ?? did}${message ? `  ${message}` : ''}\n`,
      )
      .join(''),
    bad
      .map(({ process: name, did, message, details }) => {
        const line = `${errorPaint('bold', name.padEnd(width))}  ${errorPaint('red', did === 'refused' ? 'REFUSED' : 'failed')}  ${message}\n`
        return details === undefined ? line : line + indent(details, errorPaint)
      })
      .join(''),
  ]
}
