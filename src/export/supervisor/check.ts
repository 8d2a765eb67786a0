import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { refusal } from '../problems.ts'
import { canBeWrapped } from '../shell.ts'
import { fitsValue, hasBreak } from './quote.ts'

/** Refuses what a file of Supervisor cannot hold. */
export const check = (input: ExportInput): readonly Problem[] =>
  input.processes.flatMap((exported) => [
    ...checkName(exported),
    ...checkCommand(exported),
    ...checkVariables(exported),
    ...checkValues(exported, input),
  ])

const BREAKS = 'Supervisor drops the edges of lines and knows one kind of line break, so its file cannot hold this one.'

function checkName(exported: ExportedProcess): readonly Problem[] {
  if (/^[\w.-]+$/.test(exported.name)) return []
  return [refusal(exported, '', 'A program of Supervisor has a name of letters, digits, "-", "_" and ".".')]
}

function checkCommand(exported: ExportedProcess): readonly Problem[] {
  const { argv } = exported
  const problems: Problem[] = []
  if (argv.some(hasBreak)) problems.push(refusal(exported, '["ARGS"]', BREAKS))
  if (!canBeWrapped(argv))
    problems.push(refusal(exported, '["APP"]', 'The path of a program with "=" cannot follow env.'))
  return problems
}

const checkVariables = (exported: ExportedProcess): readonly Problem[] =>
  Object.entries(exported.env)
    .filter(([variable, text]) => !/^[a-z_]\w*$/i.test(variable) || hasBreak(text ?? ''))
    .map(([variable]) => refusal(exported, `["ENV"][${JSON.stringify(variable)}]`, BREAKS))

function checkValues(exported: ExportedProcess, input: ExportInput): readonly Problem[] {
  const { cwd, group } = exported
  const user = exported.user ?? input.user ?? ''
  return [cwd, user, group ?? ''].filter((text) => !fitsValue(text)).map(() => refusal(exported, '["CWD"]', BREAKS))
}
