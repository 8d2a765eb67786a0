import type { DeclaredRow } from '../control/protocol.ts'
import { EXIT } from '../core/errors.ts'
import type { CommandContext } from './command.ts'
import { locateState } from './locate-state.ts'
import type { ProjectOptions } from './option-sets.ts'
import { renderDeclared } from './output/process-table.ts'
import { readProject } from './read-project.ts'
import { leftRunning, nameLives } from './require-supervisor.ts'
import { selectDeclared } from './select-declared.ts'

/** Prints the declared processes, for a project without a supervisor, and what a killed supervisor has left. */
export async function listDeclared(
  context: CommandContext<ProjectOptions & { readonly json: boolean }>,
): Promise<number> {
  const { options, io, paint, operands, commands } = context
  const { answer } = await readProject(context)
  const names = selectDeclared(operands, { answer, commands }) ?? answer.order
  const left = leftRunning(locateState(context))
  if (options.json)
    for (const process of names) {
      const row: DeclaredRow = { process, instance: null, state: null }
      io.stdout.write(`${JSON.stringify(row)}\n`)
    }
  else io.stdout.write(renderDeclared(names, paint))
  if (left.length === 0) io.stderr.write('Nothing is running. Start with: prodserver up -d\n')
  else
    io.stderr.write(
      `The supervisor is gone, and what it started goes on without it: ${nameLives(left)}.\nGo on with it: prodserver up -d. Stop it: prodserver down\n`,
    )
  return EXIT.notRunning
}
