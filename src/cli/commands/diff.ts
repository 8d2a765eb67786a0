import { EXIT, isError, ProdserverError, UsageError } from '../../errors.ts'
import { buildPlan } from '../../plan/build.ts'
import { type Change, diffPlans, type ProcessDiff } from '../../plan/diff.ts'
import type { Plan } from '../../plan/plan.ts'
import type { CommandContext } from '../commands.ts'
import { padEnd, type Paint, displayWidth } from '../print.ts'
import { planBasis, projectFromOptions, readProject } from '../read-project.ts'

/** How the processes of two settings modules differ. Exit code 4 with `--exit-code` where they do. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const [from, to, ...rest] = options.positionals
  if (from === undefined || to === undefined || rest.length > 0)
    throw new UsageError(
      'diff takes two settings modules.',
      'prodserver diff mysite.settings.staging mysite.settings.production',
    )
  const [before, after] = await Promise.all([planOf(context, from), planOf(context, to)])
  const diffs = diffPlans(before, after)
  const differs = diffs.some(({ is }) => is !== 'same')
  if (options.values['json'] !== undefined) for (const diff of diffs) io.stdout.write(`${JSON.stringify(diff)}\n`)
  else io.stdout.write(render(diffs, [from, to], paint))
  return differs && options.values['exit-code'] !== undefined ? EXIT.refused : EXIT.done
}

/** @throws {ProdserverError} where the settings cannot be read, or declare what cannot be planned. */
async function planOf(context: CommandContext, settings: string): Promise<Plan> {
  const { project, answer } = await readProject(context, projectFromOptions(context, settings))
  const { plan, problems } = await buildPlan({ project, answer, ...planBasis(context) })
  const errors = problems.filter(isError)
  if (errors.length > 0)
    throw new ProdserverError(errors.map((problem) => ({ ...problem, place: `${settings}: ${problem.place}` })))
  return plan
}

const MARKS = {
  same: ['=', 'dim'],
  changed: ['~', 'yellow'],
  added: ['+', 'green'],
  removed: ['-', 'red'],
} as const

function render(diffs: readonly ProcessDiff[], [from, to]: readonly [string, string], paint: Paint): string {
  const width = Math.max(...diffs.map(({ process }) => displayWidth(process)))
  const words = { same: 'the same', changed: 'changed', added: `only in ${to}`, removed: `only in ${from}` }
  return diffs
    .map(({ process, is, changes }) => {
      const [mark, style] = MARKS[is]
      const head = `${paint('bold', padEnd(process, width))}  ${paint(style, `${mark} ${words[is]}`)}\n`
      return head + changes.map((change) => `${' '.repeat(width + 4)}${renderChange(change, paint)}\n`).join('')
    })
    .join('')
}

function renderChange({ key, name, from, to }: Change, paint: Paint): string {
  const what = key === 'ARGS' ? '' : `${[key, name].filter(Boolean).join(' ')}  `
  if (from === null) return `${what}${paint('green', `+ ${to}`)}`
  if (to === null) return `${what}${paint('red', `- ${from}`)}`
  return `${what}${paint('red', from)} → ${paint('green', from === to ? `${to} (another one)` : to)}`
}
