import { EXIT, type ExitCode, type Problem, ProdserverError, UsageError } from '../../../core/errors.ts'
import { type Change, diffEnvironments, diffPlans, type ProcessDiff } from '../../../plan/diff.ts'
import type { Plan } from '../../../plan/plan.ts'
import { locateRoot } from '../../../project/project.ts'
import { findCommit, whyNoRepository } from '../../../project/revision.ts'
import type { CommandContext } from '../index.ts'
import { chooseSide, sideFacts } from './sides.ts'
import { openSide, type OpenSide, planOf } from './open-side.ts'
import { displayWidth, padEnd, type Paint } from '../../output/print.ts'
import { single } from '../../read-project.ts'

/** How the processes of two settings modules, environments or revisions differ; exit code 4 with `--exit-code`. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const [from, to, ...rest] = options.positionals
  if (from === undefined || to === undefined || rest.length > 0)
    throw new UsageError(
      'diff takes two of these: settings modules, environment files, folders, git revisions.',
      'Such as: prodserver diff HEAD~1 .',
    )
  const diffs = await compare(context, [from, to])
  const differs = diffs.some(({ is }) => is !== 'same')
  if (options.values['json'] !== undefined) for (const diff of diffs) io.stdout.write(`${JSON.stringify(diff)}\n`)
  else io.stdout.write(render(diffs, [from, to], paint))
  return differs && options.values['exit-code'] !== undefined ? EXIT.refused : EXIT.done
}

const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Reads both sides at once. What was checked out for it is gone when this ends, however it ends. */
async function compare(context: CommandContext, words: readonly string[]): Promise<readonly ProcessDiff[]> {
  const sides: OpenSide[] = []
  const close = (): void => sides.forEach((side) => side.close())
  const leave = (signal: NodeJS.Signals): void => {
    close()
    release()
    process.kill(process.pid, signal)
  }
  const release = (): void => INTERRUPTS.forEach((signal) => process.off(signal, leave))
  INTERRUPTS.forEach((signal) => process.on(signal, leave))
  try {
    open(context, words, sides)
    const [before, after] = await bothPlans(sides)
    const [from, to] = sides as [OpenSide, OpenSide]
    const names = [...new Set([...from.variables, ...to.variables])].toSorted()
    const environments = names.length > 0 ? [diffEnvironments(from.context.io.env, to.context.io.env, names)] : []
    return [...environments, ...diffPlans(before, after)]
  } finally {
    close()
    release()
  }
}

function open(context: CommandContext, words: readonly string[], sides: OpenSide[]): void {
  const { io, options } = context
  const [project, config] = ['project', 'config'].map((name) => single(context, name))
  const root = locateRoot({ cwd: io.cwd, env: io.env, project, config }, true)
  const facts = sideFacts(io.cwd, [root, ...(options.values['pythonpath'] ?? [])], {
    isRevision: (name) => findCommit(root, io.env, name) !== undefined,
    whyNoRevision: () => whyNoRepository(root, io.env),
  })
  // All is understood before any is made.
  const chosen = words.map((word) => [word, chooseSide(word, facts)] as const)
  for (const [word, side] of chosen) sides.push(openSide(context, word, side, root))
}

/** @throws {ProdserverError} with what is wrong with either of them. */
async function bothPlans(sides: readonly OpenSide[]): Promise<readonly [Plan, Plan]> {
  const results = await Promise.allSettled(sides.map(planOf))
  const failures = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []))
  const bug = failures.find((failure) => !(failure instanceof ProdserverError))
  if (bug !== undefined) throw bug
  const [first, ...others] = failures as ProdserverError[]
  if (first) {
    const problems: readonly Problem[] = [first, ...others].flatMap((failure) => failure.problems)
    const exitCode: ExitCode = first.exitCode
    throw new ProdserverError(problems, exitCode, { cause: first })
  }
  return results.map((result) => (result as PromiseFulfilledResult<Plan>).value) as [Plan, Plan]
}

const MARKS = {
  same: ['=', 'dim'],
  changed: ['~', 'yellow'],
  added: ['+', 'green'],
  removed: ['-', 'red'],
} as const

/** What is no process stands where their names stand. */
const nameOf = ({ process }: ProcessDiff): string => process ?? '(environment)'

function render(diffs: readonly ProcessDiff[], [from, to]: readonly [string, string], paint: Paint): string {
  const width = Math.max(...diffs.map((diff) => displayWidth(nameOf(diff))))
  const words = { same: 'the same', changed: 'changed', added: `only in ${to}`, removed: `only in ${from}` }
  return diffs
    .map((diff) => {
      const [mark, style] = MARKS[diff.is]
      const head = `${paint('bold', padEnd(nameOf(diff), width))}  ${paint(style, `${mark} ${words[diff.is]}`)}\n`
      return head + diff.changes.map((change) => `${' '.repeat(width + 4)}${renderChange(change, paint)}\n`).join('')
    })
    .join('')
}

function renderChange({ key, name, from, to }: Change, paint: Paint): string {
  const what = key === 'ARGS' ? '' : `${[key, name].filter(Boolean).join(' ')}  `
  if (from === null) return `${what}${paint('green', `+ ${to}`)}`
  if (to === null) return `${what}${paint('red', `- ${from}`)}`
  return `${what}${paint('red', from)} → ${paint('green', from === to ? `${to} (another one)` : to)}`
}
