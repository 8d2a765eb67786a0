import { type Declaration, type Declarations, parseDeclarations, spellingAt } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import type { Spelling } from '../core/notation.ts'
import { CHECKS, MACHINE_CHECKS, runChecks } from './checks/index.ts'
import { withoutSilenced } from './checks/silence.ts'
import { disk } from './disk.ts'
import { type Facts, isComplete, type ProcessFacts } from './facts.ts'
import type { Plan, PlannedProject } from './plan.ts'
import { planProcess } from './plan-process.ts'
import type { PlanRequest } from './request.ts'
import { resolveProcesses } from './resolve/resolve.ts'

interface PlanResult {
  /** The processes that could be planned; complete only if no problem is an error. */
  readonly plan: Plan
  /** The declared names in order, also of processes that could not be planned. */
  readonly names: readonly string[]
  /** The declarations that could be read. */
  readonly declarations: readonly Declaration[]
  readonly problems: readonly Problem[]
}

/** Turns a declaration into the plan and finds its problems. Starts nothing but the project's interpreter. */
export async function buildPlan(request: PlanRequest): Promise<PlanResult> {
  const declared = readDeclarations(request)
  const { names, declarations } = declared
  const wanted = declarations.filter(({ name }) => request.only?.includes(name) ?? true)
  const { processes: resolved, python } = await resolveProcesses(wanted, request)
  const processes = resolved.map((resolution) => planProcess(resolution, request))
  const { project, answer, machine } = request
  const facts = { project, answer, python, names, processes, disk, machine, nowMs: Date.now() }
  const problems = await findProblems(facts, declared, request.thorough ?? false)
  const plan: Plan = { version: 1, project: planProject(request), processes: completeProcesses(processes) }
  return { plan: deepFreeze(plan), names, declarations, problems }
}

/** Problems of the declaration, of the stages and of the checks, in the order in which people read them. */
async function findProblems(facts: Facts, declared: Declarations, thorough: boolean): Promise<readonly Problem[]> {
  const ofStages = facts.processes.flatMap(({ problems }) => problems)
  const ofChecks = await runChecks(CHECKS, facts, thorough)
  const ofMachine = await runChecks(MACHINE_CHECKS, facts, thorough)
  const inNotation = (problem: Problem): Problem => notationOf(problem, declared.declarations).say(problem)
  const ofDeclaration = thorough ? [...declared.problems, ...declared.unknownVariables] : declared.problems
  const sorted = inOrder([...ofDeclaration, ...[...ofStages, ...ofChecks].map(inNotation)], declared.names)
  return withoutSilenced([...sorted, ...ofMachine.map(inNotation)], facts.answer)
}

/** The notation of the declaration that a problem concerns. */
const notationOf = ({ process, place }: Problem, declarations: readonly Declaration[]): Spelling =>
  declarations.find(({ name }) => name === process)?.spelling ?? spellingAt(place)

const readDeclarations = ({ answer, set = [], env }: PlanRequest): Declarations =>
  parseDeclarations({
    processes: answer.settings['PRODUCTION_PROCESSES'],
    defaults: answer.settings['PRODUCTION_PROCESS_DEFAULTS'],
    order: answer.order,
    settingsModule: answer.settingsModule,
    overrides: { set, env },
    config: answer.config,
  })

const completeProcesses = (processes: readonly ProcessFacts[]): Plan['processes'] =>
  processes.filter(isComplete).flatMap(({ planned }) => planned ?? [])

/** Sorts problems by process, in the order of the declaration; problems of the whole project come first. */
function inOrder(problems: readonly Problem[], names: readonly string[]): readonly Problem[] {
  const rankOf = ({ process }: Problem): number => (process === undefined ? -1 : names.indexOf(process))
  return problems.toSorted((a, b) => rankOf(a) - rankOf(b))
}

function planProject({ project, answer }: PlanRequest): PlannedProject {
  const { root, settings, config = null } = project
  if (!settings) return { root, settings: null, python: null, config }
  const { path, reason } = project.python
  return {
    root,
    settings: { module: answer.settingsModule, reason: settings.reason },
    python: { path, version: answer.python.version, reason },
    config,
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) deepFreeze(inner)
  return value
}
