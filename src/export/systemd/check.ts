import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { refusal } from '../problems.ts'
import { calendarOf } from './calendar.ts'
import { fitsLine } from './quote.ts'
import { type Unit, unitOf } from './units.ts'

/** Refuses what no unit can hold, and warns of units that run as root. */
export function check(input: ExportInput): readonly Problem[] {
  const units = input.processes.map((exported) => unitOf(exported, input))
  return [
    ...input.envFrom.filter((file) => !file.startsWith('/') || !fitsLine(file)).map(refuseFile),
    ...checkUser(units),
    ...units.flatMap((unit) => [
      ...checkName(unit),
      ...checkVariables(unit.exported),
      ...checkText(unit.exported),
      ...checkProgram(unit.exported),
      ...checkLines(unit),
      ...checkSchedule(unit.exported),
    ]),
  ]
}

function refuseFile(file: string): Problem {
  return {
    id: 'E802',
    place: `--env-from ${file}`,
    message: 'systemd takes the full path of an environment file.',
    hint: 'Such as: --env-from /etc/shop.env',
  }
}

const checkUser = (units: readonly Unit[]): readonly Problem[] =>
  units.some(({ user }) => user === undefined) ? [AS_ROOT] : []

const AS_ROOT: Problem = {
  id: 'W802',
  place: 'USER',
  message: 'No user is named, and systemd starts everything as root that says nothing else.',
  hint: 'Such as: --user shop',
}

function checkName({ exported, services: [first = ''] }: Unit): readonly Problem[] {
  if (/^[\w.-]+$/.test(exported.name) && first.length < 256) return []
  return [refusal(exported, '', 'A unit has a name of up to 255 letters, digits, "-", "_" and ".".')]
}

const checkVariables = (exported: ExportedProcess): readonly Problem[] =>
  Object.keys(exported.env)
    .filter((variable) => !/^[a-z_]\w*$/i.test(variable))
    .map((variable) => refusal(exported, variableKey(variable), 'systemd takes no variable of such a name.'))

const variableKey = (variable: string): string => `["ENV"][${JSON.stringify(variable)}]`

function checkText(exported: ExportedProcess): readonly Problem[] {
  const keys = [
    ...exported.argv.map((word, index) => [index === 0 ? '["APP"]' : '["ARGS"]', word] as const),
    ...Object.entries(exported.env).map(([variable, value]) => [variableKey(variable), value ?? ''] as const),
  ]
  return keys.filter(([, text]) => !isText(text)).map(([key]) => refusal(exported, key, NO_TEXT))
}

/** Some code points are no characters, and systemd ignores a line with one. */
const isText = (text: string): boolean => !/\p{Noncharacter_Code_Point}/u.test(text)
const NO_TEXT = 'It holds a code point that is no character, and systemd would ignore its line.'

function checkProgram(exported: ExportedProcess): readonly Problem[] {
  const [program = ''] = exported.argv
  if (program.startsWith('/') && !/[$\p{Cc}]/u.test(program)) return []
  return [refusal(exported, '["APP"]', 'systemd takes the full path of a program, without "$".')]
}

const NO_LINE = 'Its line of the unit cannot begin or end with a space, end with a backslash, or hold a line break.'

function checkLines({ exported, user, hasSocket }: Unit): readonly Problem[] {
  const lines = {
    '["CWD"]': exported.cwd,
    '["USER"]': user ?? '',
    '["GROUP"]': exported.group ?? '',
    '["ARGS"]': hasSocket ? exported.listen.join(' ') : '',
  }
  return Object.entries(lines)
    .filter(([, line]) => !fitsLine(line))
    .map(([key]) => refusal(exported, key, NO_LINE))
}

function checkSchedule(exported: ExportedProcess): readonly Problem[] {
  const { schedule } = exported
  if (schedule === null || calendarOf(schedule)) return []
  return [refusal(exported, '["SCHEDULE"]', `systemd has no words for ${JSON.stringify(schedule.cron)}.`)]
}
