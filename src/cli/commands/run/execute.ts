import { EXIT, isError, type Problem, ProdserverError } from '../../../core/errors.ts'
import type { Env } from '../../../core/types.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import { findTaken } from '../../../plan/checks/machine/taken-addresses.ts'
import { withoutSilenced } from '../../../plan/checks/silence.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import type { ContextOf } from '../../command.ts'
import { planBasis, readProject, type ReadProject } from '../../read-project.ts'
import type { FLAGS } from './flags.ts'
import { renderAnnouncement } from './render.ts'

type Context = ContextOf<typeof FLAGS>

/** Becomes a declared process. Does not return on a system that can replace a process. */
export async function execute(context: Context): Promise<number> {
  const { options, passedOn, io, errorPaint } = context
  // The interpreter starts while the rest of the program loads.
  const reading = readProject(context)
  const [read, , { become, prepare }, { takeOn }] = await Promise.all([
    reading,
    import('../../../plan/build.ts'),
    import('../../../run/become.ts'),
    import('../../../run/identity.ts'),
  ])
  const { planned, problems } = await planOne(context, read)
  const executable = prepare(planned, io.env)
  if (!passedOn.some((token) => ANSWERS.has(token))) await requireAddresses(planned, read.answer, io.env)
  const account = takeOn(planned)
  if (!options.quiet) io.stderr.write(renderAnnouncement(planned, problems, errorPaint))
  const declared = Object.keys(planned.env)
  const ofAccount = Object.entries(account).filter(([variable]) => !declared.includes(variable))
  return become({ ...executable, env: { ...executable.env, ...Object.fromEntries(ofAccount) } })
}

interface PlannedOne {
  readonly planned: PlannedProcess
  readonly problems: readonly Problem[]
}

/** @throws {ProdserverError} when the declaration of the process has errors; other processes may have some. */
async function planOne(context: Context, { project, answer }: ReadProject): Promise<PlannedOne> {
  const { operands, passedOn, commands } = context
  const [{ buildPlan }, { kindsOf, needsPlan, selectOne }] = await Promise.all([
    import('../../../plan/build.ts'),
    import('../../select-declared.ts'),
  ])
  const [selector] = operands
  const basis = planBasis(context)
  const whole = selector !== undefined && needsPlan([selector]) && (await buildPlan({ project, answer, ...basis }))
  const kinds = whole ? kindsOf(whole.plan.processes) : undefined
  const name = selectOne(selector, { answer, kinds, commands }, basis)
  const request = { project, answer, ...basis, only: [name], extra: passedOn, django: djangoTokens(context) }
  const result = await buildPlan(request)
  const problems = result.problems.filter(({ process }) => process === undefined || process === name)
  const planned = result.plan.processes.find((candidate) => candidate.name === name)
  if (problems.some(isError) || !planned) throw new ProdserverError(problems, EXIT.refused)
  return { planned, problems }
}

/** Options with which a server answers a question, and listens nowhere. */
const ANSWERS: ReadonlySet<string> = new Set(['--help', '-h', '--version', '-v', '--check-config', '--print-config'])

/**
 * Refuses addresses that are in use: a server would try for seconds, and then not name the other process.
 *
 * @throws {ProdserverError} `E507`.
 */
async function requireAddresses(planned: PlannedProcess, answer: SettingsAnswer, env: Env): Promise<void> {
  // The service manager has opened the addresses for this process, or its declaration shares them.
  const isShared = env['LISTEN_FDS'] !== undefined || planned.argv.some((word) => String(word) === '--reuse-port')
  if (planned.listen.length === 0 || isShared) return
  const { foreignHolder } = await import('../../ports.ts')
  const problems = withoutSilenced(findTaken(planned, { holderOf: foreignHolder() }), answer)
  if (problems.length > 0) throw new ProdserverError(problems, EXIT.refused)
}

/** Django's own options, to be passed on. */
function djangoTokens({ options }: Context): string[] {
  const tokens = options.verbosity === undefined ? [] : [`--verbosity=${options.verbosity}`]
  for (const name of ['traceback', 'skip-checks', 'no-color'] as const) if (options[name]) tokens.push(`--${name}`)
  return tokens
}
