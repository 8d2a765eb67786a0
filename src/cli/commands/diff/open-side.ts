import { realpathSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { EXIT, failure, isError, type Problem, ProdserverError } from '../../../core/errors.ts'
import { buildPlan } from '../../../plan/build.ts'
import { explainEnvFile, parseEnvFile } from '../../../plan/env-files.ts'
import type { Plan } from '../../../plan/plan.ts'
import { type Move, relocatePlan } from '../../../plan/relocate.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import { resolveInterpreter } from '../../../project/interpreter.ts'
import { checkOut, findCommit, findRepository } from '../../../project/revision.ts'
import { quoteWord } from '../../../core/shell-words.ts'
import type { CommandContext } from '../../command.ts'
import type { PlanOptions } from '../../option-sets.ts'
import type { Side } from './sides.ts'
import { planBasis, readProject } from '../../read-project.ts'
import { projectFromOptions } from '../../locate-project.ts'

export type SideContext = CommandContext<PlanOptions>

/** A side of the comparison, ready to be read. */
export interface OpenSide {
  /** As it was written. */
  readonly label: string
  /** The command line, as though it had been typed there. */
  readonly context: SideContext
  /** Where it lies, and where it is to be shown as. */
  readonly moves: readonly Move[]
  /** Variables that its file gives; none of another kind. */
  readonly variables: readonly string[]
  /** A problem in words of that side. */
  readonly explain: (problem: Problem) => Problem
  /** What is wrong with where the settings were found. */
  readonly check: (answer: SettingsAnswer) => readonly Problem[]
  /** May be called again. */
  readonly close: () => void
}

/**
 * Prepares one side of the comparison; the project lies in `root`.
 *
 * @throws {ProdserverError} `E111` or `E018` where it cannot be had.
 */
export function openSide(context: SideContext, label: string, side: Side, root: string): OpenSide {
  const plain = {
    label,
    context,
    moves: [],
    variables: [],
    explain: (problem: Problem) => labelled(problem, label),
    check: () => [],
    close: () => {},
  }
  switch (side.kind) {
    case 'settings':
      return { ...plain, context: withOptions(context, { settings: side.module }) }
    case 'env': {
      const variables = readVariables(resolve(context.io.cwd, side.file), label)
      const io = { ...context.io, env: { ...context.io.env, ...variables } }
      return { ...plain, context: { ...context, io }, variables: Object.keys(variables) }
    }
    case 'project': {
      if (side.folder === '.') return plain
      const cwd = resolve(context.io.cwd, side.folder)
      const there = { ...withOptions(context, { project: undefined, config: undefined }), io: { ...context.io, cwd } }
      return { ...plain, context: there, moves: [[projectFromOptions(there).root, root]] }
    }
    case 'git':
      return openRevision(context, label, side, root)
    default:
      return side satisfies never
  }
}

const withOptions = (context: SideContext, changes: Partial<PlanOptions>): SideContext => ({
  ...context,
  options: { ...context.options, ...changes },
})

function readVariables(path: string, place: string): Readonly<Record<string, string>> {
  let problem: Problem
  try {
    const variables = parseEnvFile(path)
    if (Object.keys(variables).length > 0) return variables
    problem = { id: 'E111', place, message: `The environment file ${path} has no variables.` }
  } catch (error) {
    problem = explainEnvFile(path, place, error)
  }
  throw failure(problem)
}

function openRevision(
  context: SideContext,
  label: string,
  { revision, module }: Side & { readonly kind: 'git' },
  root: string,
): OpenSide {
  const { io, options } = context
  const { value: repository, problem } = findRepository(root, io.env, label)
  if (!repository) throw failure(problem)
  const commit = findCommit(root, io.env, revision)
  if (commit === undefined) {
    const message = `There is no git revision ${revision} in ${repository.top}.`
    const hint = `Look: git -C ${quoteWord(root)} log --oneline --all`
    throw new ProdserverError([{ id: 'E018', place: label, message, hint }], EXIT.usage)
  }
  const python = interpreterOf(context, root)
  const checkout = checkOut(root, io.env, { repository, commit, place: label })
  const { tree } = checkout
  const moved = (path: string): string => {
    const within = relative(repository.top, realPath(resolve(io.cwd, path)))
    return within.startsWith('..') ? resolve(io.cwd, path) : join(tree, within)
  }
  const { settings, config, pythonpath } = options
  const there = withOptions(context, {
    python: python ?? options.python,
    project: checkout.root,
    pythonpath: pythonpath.map(moved),
    config: config === undefined ? undefined : moved(config),
    settings: module ?? settings,
  })
  return {
    label,
    context: { ...there, io: { ...io, cwd: checkout.root } },
    moves: [
      [checkout.root, root],
      [tree, repository.top],
    ],
    variables: [],
    explain: (problem) => labelled(inRevision(problem, revision, tree), label),
    check: (answer) => checkOrigin(answer, { label, tree, top: repository.top, root }),
    close: checkout.remove,
  }
}

/** That of the project as it is now; undefined where it has none, and may need none. */
function interpreterOf(context: SideContext, root: string): string | undefined {
  const { cwd, env } = context.io
  try {
    return resolveInterpreter({ root, cwd, env, python: context.options.python }).path
  } catch (error) {
    if (error instanceof ProdserverError) return undefined
    throw error
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Files of a revision as git names them: `HEAD~1:mysite/settings.py`. */
function inRevision(problem: Problem, revision: string, tree: string): Problem {
  const moves: readonly Move[] = [
    [`${tree}/`, `${revision}:`],
    [tree, revision],
  ]
  const entries = Object.entries(problem).map(([key, value]) => [
    key,
    typeof value === 'string' ? moves.reduce((text, [from, to]) => text.replaceAll(from, to), value) : value,
  ])
  const said = Object.fromEntries(entries) as Problem
  const [, file] = /^(.+):\d+$/.exec(said.place) ?? []
  // What can be tried in the project cannot be tried there.
  if (file?.startsWith(`${revision}:`)) return { ...said, hint: `Look: git show ${quoteWord(file)}` }
  const [, folder] = /^.*\bls (?:-l )?(\S+)$/.exec(said.hint ?? '') ?? []
  return folder?.startsWith(`${revision}:`) ? { ...said, hint: `Look: git show ${folder}` } : said
}

const labelled = (problem: Problem, label: string): Problem =>
  problem.place.startsWith(label) ? problem : { ...problem, place: `${label}: ${problem.place}` }

/** Where the project is installed in the interpreter, what is imported may be today's. */
function checkOrigin(
  { settingsFile, settingsModule, python: { prefix } }: SettingsAnswer,
  {
    label,
    tree,
    top,
    root,
  }: { readonly label: string; readonly tree: string; readonly top: string; readonly root: string },
): readonly Problem[] {
  const file = settingsFile === null ? '' : realPath(settingsFile)
  const isBelow = (folder: string): boolean => file.startsWith(folder + sep)
  if (isBelow(tree) || !isBelow(top) || isBelow(prefix) || /[/\\](site|dist)-packages[/\\]/.test(file)) return []
  const message = `${settingsModule} was imported from ${file}, and not from the revision: the project is installed in the interpreter.`
  const depth = settingsModule.split('.').length - (/[/\\]__init__\.py$/.test(file) ? 0 : 1)
  const folder = relative(root, resolve(file, ...Array<string>(depth + 1).fill('..'))) || '.'
  return [{ id: 'E018', place: label, message, hint: `Say where it lies: --pythonpath ${quoteWord(folder)}` }]
}

/** @throws {ProdserverError} where the settings cannot be read, or declare what cannot be planned. */
export async function planOf({ context, moves, explain, check }: OpenSide): Promise<Plan> {
  try {
    const { project, answer } = await readProject(context)
    const wrong = check(answer)
    if (wrong.length > 0) throw new ProdserverError(wrong)
    const { plan, problems } = await buildPlan({ project, answer, ...planBasis(context) })
    const errors = problems.filter(isError)
    if (errors.length > 0) throw new ProdserverError(errors)
    return relocatePlan(plan, moves)
  } catch (error) {
    if (!(error instanceof ProdserverError)) throw error
    throw new ProdserverError(error.problems.map(explain), error.exitCode, { cause: error })
  }
}
