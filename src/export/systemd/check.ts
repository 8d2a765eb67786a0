import type { Problem } from '../../core/errors.ts'
import type { ExportInput } from '../input.ts'
import { refuse, refuseVariable } from '../problems.ts'
import { calendarOf } from './calendar.ts'
import { fitsLine } from './quote.ts'
import { type Unit, unitOf } from './units.ts'

/** Refuses what no unit can hold, and warns of units that run as root. */
export function* check(input: ExportInput): Generator<Problem> {
  for (const file of input.envFrom) if (!file.startsWith('/') || !fitsLine(file)) yield refuseFile(file)
  const units = input.processes.map((exported) => unitOf(exported, input))
  if (units.some(({ user }) => user === undefined)) yield AS_ROOT
  for (const unit of units) {
    yield* checkUnit(unit)
    yield* checkText(unit)
    yield* checkLines(unit)
  }
}

const refuseFile = (file: string): Problem => ({
  id: 'E802',
  place: `--env-from ${file}`,
  message: 'systemd needs the full path of an environment file.',
  hint: 'For example: --env-from /etc/shop.env',
})

const AS_ROOT: Problem = {
  id: 'W802',
  place: 'USER',
  message: 'No USER is set, so systemd will run the processes as root.',
  hint: 'For example: --user shop',
}

function* checkUnit({ exported, services: [first = ''] }: Unit): Generator<Problem> {
  const { name, env, argv, schedule } = exported
  if (!/^[\w.-]+$/.test(name) || first.length > 255)
    yield refuse(exported, 'name', 'The name of a unit has up to 255 letters, digits, "-", "_" and ".".')
  for (const variable of Object.keys(env))
    if (!/^[a-z_]\w*$/i.test(variable))
      yield refuseVariable(exported, variable, 'systemd cannot set a variable with this name.')
  if (!/^\/[^$\p{Cc}]*$/u.test(argv[0] ?? ''))
    yield refuse(exported, 'app', 'systemd needs the full path of a program, without "$" and control characters.')
  if (schedule !== null && !calendarOf(schedule))
    yield refuse(exported, 'schedule', `systemd cannot express the schedule ${JSON.stringify(schedule.cron)}.`)
}

const NO_TEXT = 'This value has a code point that is not a character, and systemd would ignore its line.'

const isText = (text: string): boolean => !/\p{Noncharacter_Code_Point}/u.test(text)

function* checkText({ exported }: Unit): Generator<Problem> {
  const [program = '', ...args] = exported.argv
  if (!isText(program)) yield refuse(exported, 'app', NO_TEXT)
  if (!args.every(isText)) yield refuse(exported, 'args', NO_TEXT)
  for (const [variable, value] of Object.entries(exported.env))
    if (!isText(value ?? '')) yield refuseVariable(exported, variable, NO_TEXT)
}

const NO_LINE = 'A line of a unit cannot begin or end with a space, end with a backslash, or hold a line break.'

function* checkLines({ exported, user, hasSocket }: Unit): Generator<Problem> {
  const { cwd, group, listen } = exported
  const lines = { cwd, user, group, args: hasSocket ? listen.join(' ') : '' }
  for (const key of ['cwd', 'user', 'group', 'args'] as const)
    if (!fitsLine(lines[key] ?? '')) yield refuse(exported, key, NO_LINE)
}
