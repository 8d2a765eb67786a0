import { EXIT, isError, type Problem, ProdserverError, UsageError } from '../../../core/errors.ts'
import { spellingAt } from '../../../config/declarations.ts'
import { buildPlan } from '../../../plan/build.ts'
import { locateProblems } from '../../../plan/locate.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import { withoutSilenced } from '../../../plan/checks/silence.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import { prepare } from '../../../run/become.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import type { Env } from '../../../core/types.ts'
import type { CommandContext } from '../index.ts'
import { readMachine } from '../../machine.ts'
import { countProblems, plural, renderProblems } from '../../output/print.ts'
import { type Format, formatProblems, FORMATS } from '../../output/problem-formats.ts'
import { readProject, planBasis, single } from '../../read-project.ts'
import { kindsOf, needsPlan, selectDeclared } from '../../select.ts'
import { VERSION } from '../../version.ts'

/** Every problem of every process, without starting one. Exit code 4 where there are errors, or what --fail-level says. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const format = formatOf(context)
  const fails = failLevelOf(context) === 'WARNING' ? () => true : isError
  const { project, answer } = await readProject(context, undefined, { lines: true })
  const given = options.positionals
  const [isHere, isDeployed, isQuick] = ['here', 'deploy', 'quick'].map((name) => options.values[name] !== undefined)
  const { commandNames } = context
  const named = needsPlan(given) ? undefined : selectDeclared(given, { answer, commandNames })
  const machine = isHere ? readMachine(io.processors, stateDirectory(io.env, project.root)) : undefined
  const result = await buildPlan({
    project,
    answer,
    ...planBasis(context),
    thorough: !isQuick,
    deploy: isDeployed,
    machine,
  })
  const { plan, names, problems } = result
  // A package that is missing has not brought its program either.
  const lacking = new Set(problems.filter(({ id }) => id === 'E203').map(({ process }) => process))
  const present = plan.processes.filter(({ name }) => !lacking.has(name))
  const found = present.flatMap((process) => checkProgram(process, io.env))
  const all = locateProblems([...problems, ...withoutSilenced(found, answer).map(spelledIn(plan.processes))], answer)
  const chosen = named ?? selectDeclared(given, { answer, kinds: kindsOf(plan.processes), commandNames })
  // A process that could not be planned has no kind, so its problems are shown for every kind.
  const planned = new Set(plan.processes.map(({ name }) => name))
  const isShown = (name: string): boolean =>
    chosen === undefined || chosen.includes(name) || (named === undefined && !planned.has(name))
  const shown = all.filter(({ process }) => process === undefined || isShown(process))
  if (format !== 'text') io.stdout.write(formatProblems(format, shown, { version: VERSION, cwd: io.cwd }))
  else if (shown.length === 0)
    io.stdout.write(
      `${paint('green', 'No problems')} in ${plural((chosen ?? names).length, 'process', 'processes')}: ${(chosen ?? names).join(', ')}.\n`,
    )
  else
    io.stdout.write(`${renderProblems(shown, paint, io.cwd)}\n${countProblems(shown)} in ${declaringFiles(answer)}.\n`)
  return shown.some(fails) ? EXIT.refused : EXIT.done
}

/** Problems in the words of what declares their processes. */
function spelledIn(processes: readonly PlannedProcess[]): (problem: Problem) => Problem {
  const places = new Map(processes.map(({ name, place }) => [name, place]))
  return (problem) => spellingAt(places.get(problem.process ?? '') ?? problem.place).say(problem)
}

/** Where all of it is written. */
const declaringFiles = ({ settingsFile, settingsModule, config }: SettingsAnswer): string =>
  [settingsFile ?? settingsModule, config?.file].filter(Boolean).join(' and ')

function formatOf(context: CommandContext): Format {
  const given = single(context, 'format') ?? (context.options.values['json'] === undefined ? 'text' : 'json')
  const known = FORMATS.find((format) => format === given)
  if (known === undefined) throw new UsageError(`--format takes ${FORMATS.join(', ')}, not ${given}.`)
  return known
}

const LEVELS = ['ERROR', 'WARNING'] as const

/** As Django's own `check --fail-level`. */
function failLevelOf(context: CommandContext): (typeof LEVELS)[number] {
  const given = single(context, 'fail-level') ?? 'ERROR'
  const known = LEVELS.find((level) => level === given.toUpperCase())
  if (known === undefined) throw new UsageError(`--fail-level takes ${LEVELS.join(' or ')}, not ${given}.`)
  return known
}

/** What would keep this machine from starting the program. */
function checkProgram(planned: PlannedProcess, env: Env): readonly Problem[] {
  try {
    prepare(planned, env)
    return []
  } catch (error) {
    if (error instanceof ProdserverError) return error.problems
    throw error
  }
}
