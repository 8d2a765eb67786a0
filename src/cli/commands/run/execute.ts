import { isUnixAddress } from '../../../core/addresses.ts'
import { EXIT, isError, type Problem, ProdserverError } from '../../../core/errors.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import { findTaken } from '../../../plan/checks/machine/taken-addresses.ts'
import { withoutSilenced } from '../../../plan/checks/silence.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import type { Env } from '../../../core/types.ts'
import type { CommandContext } from '../index.ts'
import { readProject, planBasis, single } from '../../read-project.ts'

/** Becomes a declared process. Does not return where the system can replace a process. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io } = context
  // The interpreter is on its way while the rest of the program loads.
  const reading = readProject(context)
  const [{ project, answer }, { buildPlan }, { become, prepare }, { takeOn }] = await Promise.all([
    reading,
    import('../../../plan/build.ts'),
    import('../../../run/become.ts'),
    import('../../../run/identity.ts'),
  ])
  const { kindsOf, needsPlan, selectOne } = await import('../../select.ts')
  const [selector] = options.positionals
  const basis = planBasis(context)
  const whole =
    selector !== undefined && needsPlan([selector]) ? await buildPlan({ project, answer, ...basis }) : undefined
  const kinds = whole && kindsOf(whole.plan.processes)
  const name = selectOne(selector, { answer, kinds, commandNames: context.commandNames }, basis)
  const result = await buildPlan({
    project,
    answer,
    ...basis,
    only: [name],
    extra: options.rest,
    django: djangoTokens(context),
  })
  // Other processes may be wrong, or be meant for another machine: they do not keep this one from starting.
  const problems = result.problems.filter(({ process }) => process === undefined || process === name)
  const planned = result.plan.processes.find((candidate) => candidate.name === name)
  if (problems.some(isError) || !planned) throw new ProdserverError(problems, EXIT.refused)
  const executable = prepare(planned, io.env)
  if (!options.rest.some((token) => ANSWERS.has(token))) await requireAddresses(planned, answer, io.env)
  const account = takeOn(planned)
  if (!options.values['quiet']) announce(planned, problems, context)
  const declared = Object.keys(planned.env)
  const ofAccount = Object.entries(account).filter(([variable]) => !declared.includes(variable))
  return become({ ...executable, env: { ...executable.env, ...Object.fromEntries(ofAccount) } })
}

/** Options with which a server answers a question, and listens nowhere. */
const ANSWERS: ReadonlySet<string> = new Set(['--help', '-h', '--version', '-v', '--check-config', '--print-config'])

/**
 * A server would try for seconds, and then name nobody.
 *
 * @throws {ProdserverError} `E507` where somebody has one of its addresses.
 */
async function requireAddresses(planned: PlannedProcess, answer: SettingsAnswer, env: Env): Promise<void> {
  // The service manager has them open for it; and who says so wants to share them.
  const isShared = env['LISTEN_FDS'] !== undefined || planned.argv.some((word) => String(word) === '--reuse-port')
  if (planned.listen.length === 0 || isShared) return
  const { foreignHolder } = await import('../../ports.ts')
  const problems = withoutSilenced(findTaken(planned, { holderOf: foreignHolder() }), answer)
  if (problems.length > 0) throw new ProdserverError(problems, EXIT.refused)
}

function announce(
  planned: PlannedProcess,
  warnings: readonly Problem[],
  { io, errorPaint: paint }: CommandContext,
): void {
  const listen =
    planned.listen.length > 0
      ? ` on ${planned.listen.map((address) => (isUnixAddress(address) ? address : `http://${address}`)).join(', ')}`
      : ''
  io.stderr.write(`${paint('bold', planned.name)}: ${planned.title}${listen}\n`)
  for (const note of planned.notes) io.stderr.write(`  ${paint('dim', note)}\n`)
  for (const { id, place, message, hint } of warnings)
    io.stderr.write(`  ${paint('yellow', id)} ${place}: ${message}${hint ? ` ${hint}.` : ''}\n`)
}

function djangoTokens(context: CommandContext): string[] {
  const { values } = context.options
  const verbosity = single(context, 'verbosity')
  return [
    ...(verbosity === undefined ? [] : [`--verbosity=${verbosity}`]),
    ...['traceback', 'skip-checks', 'no-color'].filter((name) => values[name]).map((name) => `--${name}`),
  ]
}
