import { EXIT, type Problem, ProdserverError, UsageError } from '../../../core/errors.ts'
import { diffEnvironments, diffPlans, type ProcessDiff } from '../../../plan/diff.ts'
import type { Plan } from '../../../plan/plan.ts'
import { locateRoot } from '../../../project/project.ts'
import { findCommit, findRepository } from '../../../project/revision.ts'
import { openSide, type OpenSide, planOf, type SideContext } from './open-side.ts'
import type { FLAGS } from './flags.ts'
import type { ContextOf } from '../../command.ts'
import { renderDiffs } from './render.ts'
import { chooseSide, sideFacts } from './sides.ts'

/** Shows how the processes of two settings modules, environments or revisions differ. */
export async function execute(context: ContextOf<typeof FLAGS>): Promise<number> {
  const { options, operands, io, paint } = context
  const [from, to, ...rest] = operands
  if (from === undefined || to === undefined || rest.length > 0)
    throw new UsageError(
      'diff takes two of these: settings modules, environment files, folders, git revisions.',
      'Such as: prodserver diff HEAD~1 .',
    )
  const diffs = await compare(context, [from, to])
  const differs = diffs.some(({ is }) => is !== 'same')
  if (options.json) for (const diff of diffs) io.stdout.write(`${JSON.stringify(diff)}\n`)
  else io.stdout.write(renderDiffs(diffs, [from, to], paint))
  return differs && options['exit-code'] ? EXIT.refused : EXIT.done
}

const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Reads both sides at once. Checked-out revisions are removed at the end, even by a signal. */
async function compare(context: SideContext, words: readonly string[]): Promise<readonly ProcessDiff[]> {
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

function open(context: SideContext, words: readonly string[], sides: OpenSide[]): void {
  const { io, options } = context
  const { project, config, pythonpath } = options
  const root = locateRoot({ cwd: io.cwd, env: io.env, project, config }, true)
  const facts = sideFacts(io.cwd, [root, ...pythonpath], {
    isRevision: (name) => findCommit(root, io.env, name) !== undefined,
    whyNoRevision: () => findRepository(root, io.env, root).problem?.message.replace(/\.$/, ''),
  })
  // Both words are understood before any side is opened.
  const chosen = words.map((word) => [word, chooseSide(word, facts)] as const)
  for (const [word, side] of chosen) sides.push(openSide(context, word, side, root))
}

/** @throws {ProdserverError} with the problems of both sides. */
async function bothPlans(sides: readonly OpenSide[]): Promise<readonly [Plan, Plan]> {
  const results = await Promise.allSettled(sides.map(planOf))
  const failures = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []))
  const bug = failures.find((failure) => !(failure instanceof ProdserverError))
  if (bug !== undefined) throw bug
  const [first, ...others] = failures as ProdserverError[]
  if (first) {
    const problems: readonly Problem[] = [first, ...others].flatMap((failure) => failure.problems)
    throw new ProdserverError(problems, first.exitCode, { cause: first })
  }
  return results.map((result) => (result as PromiseFulfilledResult<Plan>).value) as [Plan, Plan]
}
