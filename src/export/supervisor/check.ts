import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { refuse, refuseVariable } from '../problems.ts'
import { checkProgram } from '../shell.ts'
import { fitsValue, hasBreak } from './quote.ts'

/** Refuses what a file of Supervisor cannot hold. */
export function* check(input: ExportInput): Generator<Problem> {
  for (const exported of input.processes) yield* checkProcess(exported, exported.user ?? input.user)
}

const UNREADABLE = 'Supervisor would misread this value: it has a line break, or a space or comment at its edge.'

function* checkProcess(exported: ExportedProcess, user: string | undefined): Generator<Problem> {
  const { name, argv, env, cwd, group } = exported
  if (!/^[\w.-]+$/.test(name))
    yield refuse(exported, 'name', 'Supervisor allows only letters, digits, "-", "_" and "." in the name of a program.')
  if (argv.some(hasBreak)) yield refuse(exported, 'args', UNREADABLE)
  yield* checkProgram(exported)
  for (const [variable, text] of Object.entries(env)) {
    if (!/^[a-z_]\w*$/i.test(variable))
      yield refuseVariable(exported, variable, 'Supervisor cannot set a variable with this name.')
    else if (hasBreak(text ?? '')) yield refuseVariable(exported, variable, UNREADABLE)
  }
  for (const [key, text] of [
    ['cwd', cwd],
    ['user', user],
    ['group', group],
  ] as const)
    if (!fitsValue(text ?? '')) yield refuse(exported, key, UNREADABLE)
}
