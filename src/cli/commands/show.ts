import { EXIT, isError, ProdserverError, UsageError } from '../../errors.ts'
import type { Plan, PlannedProbe, PlannedProcess } from '../../plan/plan.ts'
import { buildPlan } from '../../plan/build.ts'
import { quoteWord } from '../../words.ts'
import { reveal, type Value } from '../../secret.ts'
import { describeReload } from '../../supervise/reload-manner.ts'
import type { CommandContext } from '../commands.ts'
import { type Paint, renderProblems } from '../print.ts'
import { readProject, planBasis } from '../read-project.ts'
import { checkNames } from '../select.ts'

/** Exactly what would run. The command line can be pasted into a shell. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint, errorPaint } = context
  const revealed = options.values['reveal'] !== undefined
  if (revealed && !io.stdout.isTerminal) throw new UsageError('--reveal shows secrets on a terminal only.')
  const { project, answer } = await readProject(context)
  const given = options.positionals
  checkNames(given, answer)
  const { plan, names, problems } = await buildPlan({
    project,
    answer,
    ...planBasis(context),
    only: given.length > 0 ? given : undefined,
  })
  if (names.length === 0) throw new ProdserverError(problems, EXIT.refused)
  const concerning = problems.filter(
    ({ process }) => given.length === 0 || process === undefined || given.includes(process),
  )
  const processes = plan.processes.filter(({ name }) => given.length === 0 || given.includes(name))
  if (options.values['json']) io.stdout.write(`${JSON.stringify({ ...plan, processes, problems: concerning })}\n`)
  else {
    io.stdout.write(
      [
        renderProject(plan, paint),
        ...processes.map((planned) => renderProcess(planned, paint, revealed ? reveal : String)),
      ].join('\n'),
    )
    if (concerning.length > 0) io.stderr.write(`\n${renderProblems(concerning, errorPaint)}`)
  }
  return concerning.some(isError) ? EXIT.refused : EXIT.done
}

type Show = (value: Value) => string

function renderProject({ project: { root, settings, python, config } }: Plan, paint: Paint): string {
  return renderRows(
    [
      ['project', root],
      ...(config ? [['config', config.path, config.reason]] : []),
      ...(settings ? [['settings', settings.module, settings.reason]] : []),
      ...(python ? [['python', `${python.path} (${python.version})`, python.reason]] : []),
    ],
    paint,
  )
}

function renderProcess(planned: PlannedProcess, paint: Paint, show: Show): string {
  const head = `${paint('bold', paint('cyan', planned.name))}  ${planned.title}, ${planned.kind}${planned.instances > 1 ? `, ${planned.instances} instances` : ''}${planned.enabled ? '' : ', disabled'}\n`
  const origins = planned.argv.flatMap((word, index) =>
    index > 0 && !planned.argvFrom[index]?.startsWith('the backend')
      ? [['', show(word), planned.argvFrom[index] ?? '']]
      : [],
  )
  const variables = Object.entries(planned.env).map(([name, { value, from }]) => [
    '',
    value === null ? `${name} is removed` : `${name}=${show(value)}`,
    from,
  ])
  const rows = [
    ...label('from', origins),
    ...label('environment', variables),
    ['directory', planned.cwd, planned.from.cwd ?? ''],
    ...(planned.listen.length > 0 ? [['listens on', planned.listen.join(', ')]] : []),
    ...identityRows(planned),
    ['ready', describeProbe(planned.ready), planned.from.ready ?? ''],
    ['stop', `${planned.stop.signal}, then KILL after ${planned.stop.timeoutMs / 1000} s`, planned.from.stop ?? ''],
    ['reload', describeReload(planned), planned.from.reload ?? ''],
    ...planned.notes.map((note) => ['note', note]),
  ]
  return `${head}  ${pasteable(planned, show)}\n${renderRows(rows, paint)}`
}

/** One line for a POSIX shell that starts the same program in the same way. */
function pasteable({ argv, env, cwd }: PlannedProcess, show: Show): string {
  const variables = Object.entries(env)
  const set = variables.flatMap(([name, { value }]) => (value === null ? [] : [`${name}=${quoteWord(show(value))}`]))
  const unset = variables.flatMap(([name, { value }]) => (value === null ? ['-u', name] : []))
  const environment = unset.length > 0 || set.length > 0 ? ['env', ...unset, ...set] : []
  return [`cd ${quoteWord(cwd)} &&`, ...environment, ...argv.map((word) => quoteWord(show(word)))].join(' ')
}

function identityRows({ user, group, umask, nice, limits, from }: PlannedProcess): string[][] {
  const limited = Object.entries(limits).map(([name, value]) => `${name}=${value}`)
  const rows = [
    ['user', user, from.user],
    ['group', group, from.group],
    ['umask', umask, from.umask],
    ['nice', nice, from.nice],
    ['limits', limited.length > 0 ? limited.join(' ') : null, from.limits],
  ] as const
  return rows.flatMap(([name, value, place]) => (value === null ? [] : [[name, String(value), place ?? '']]))
}

const label = (name: string, rows: readonly string[][]): string[][] =>
  rows.map((row, index) => [index === 0 ? name : '', ...row.slice(1)])

function renderRows(rows: readonly (readonly string[])[], paint: Paint): string {
  const width = Math.max(...rows.map(([, value = '', from]) => (from ? Math.min(value.length, 60) : 0)))
  return rows
    .map(
      ([name = '', value = '', from = '']) =>
        `  ${paint('dim', name.padEnd(11))} ${from ? `${value.padEnd(width)}  ${paint('dim', from)}` : value}\n`,
    )
    .join('')
}

function describeProbe(probe: PlannedProbe): string {
  if (probe.http !== undefined) return `GET ${probe.http} is answered`
  if (probe.tcp !== undefined) return `port ${probe.tcp} accepts connections`
  if (probe.exec !== undefined) return `${probe.exec.join(' ')} exits with 0`
  const orTime = probe.delayMs === undefined ? '' : `, or it has run for ${probe.delayMs / 1000} s`
  if (probe.log !== undefined) return `its output matches /${probe.log}/${orTime}`
  return `it has run for ${(probe.delayMs ?? 0) / 1000} s`
}
