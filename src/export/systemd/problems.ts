import { printDuration } from '../../core/durations.ts'
import type { Problem } from '../../core/errors.ts'
import { type ExportedProcess, type ExportInput, loss, refusal } from '../target.ts'
import { calendarOf } from './calendar.ts'
import { fitsLine } from './quote.ts'
import { LIMITS } from './service.ts'
import type { Unit } from './units.ts'

/** What systemd has no word for, and what no unit can hold. */
export function findProblems(units: readonly Unit[], input: ExportInput): readonly Problem[] {
  return [
    ...input.envFrom.filter((file) => !file.startsWith('/') || !fitsLine(file)).map(refuseFile),
    ...(units.some(({ user }) => user === undefined) ? [AS_ROOT] : []),
    ...units.flatMap((unit) => [...refused(unit), ...lost(unit, units, input)]),
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

const AS_ROOT: Problem = {
  id: 'W802',
  place: 'USER',
  message: 'No user is named, and systemd starts everything as root that says nothing else.',
  hint: 'Such as: --user shop',
}

function refused({ exported, user, services, hasSocket }: Unit): readonly Problem[] {
  const { name, cwd, env, argv, schedule, group, limits } = exported
  const lines = { cwd, user, group, listen: hasSocket ? exported.listen.join(' ') : '' } as const
  const unfit = (['cwd', 'user', 'group', 'listen'] as const).filter((key) => !fitsLine(lines[key] ?? ''))
  return [
    ...(/^[\w.-]+$/.test(name) && (services[0] ?? '').length < 256
      ? []
      : [refusal(exported, '', 'A unit has a name of up to 255 letters, digits, "-", "_" and ".".')]),
    ...Object.keys(env)
      .filter((variable) => !/^[a-z_]\w*$/i.test(variable))
      .map((variable) =>
        refusal(exported, `["ENV"][${JSON.stringify(variable)}]`, 'systemd takes no variable of such a name.'),
      ),
    ...argv.flatMap((word, index) =>
      isText(word) ? [] : [refusal(exported, index === 0 ? '["APP"]' : '["ARGS"]', NO_TEXT)],
    ),
    ...Object.entries(env).flatMap(([variable, value]) =>
      value === null || isText(value) ? [] : [refusal(exported, `["ENV"][${JSON.stringify(variable)}]`, NO_TEXT)],
    ),
    ...(argv[0]?.startsWith('/') && !/[$\p{Cc}]/u.test(argv[0])
      ? []
      : [refusal(exported, '["APP"]', 'systemd takes the full path of a program, without "$".')]),
    ...unfit.map((key) =>
      refusal(
        exported,
        key === 'listen' ? '["ARGS"]' : `["${key.toUpperCase()}"]`,
        'Its line of the unit cannot begin or end with a space, end with a backslash, or hold a line break.',
      ),
    ),
    ...(schedule && !calendarOf(schedule)
      ? [refusal(exported, '["SCHEDULE"]', `systemd has no words for ${JSON.stringify(schedule.cron)}.`)]
      : []),
    ...Object.keys(limits)
      .filter((limit) => !LIMITS.test(limit))
      .map((limit) => refusal(exported, `["LIMITS"][${JSON.stringify(limit)}]`, 'systemd has no limit of that name.')),
  ]
}

/** Some code points are no characters, and systemd ignores a line with one. */
const isText = (text: string): boolean => !/\p{Noncharacter_Code_Point}/u.test(text)
const NO_TEXT = 'It holds a code point that is no character, and systemd would ignore its line.'

function lost({ exported, services, hasSocket, completes }: Unit, units: readonly Unit[], input: ExportInput) {
  const { alive, ready, restart, instances, dependsOn, limits, from, memoryLimitBytes, run, reload, log } = exported
  const names = (among: (name: string, condition: string) => boolean): string =>
    Object.entries(dependsOn)
      .filter(([name, condition]) => among(name, condition))
      .map(([name]) => JSON.stringify(name))
      .join(', ')
  const strangers = names((name) => !units.some((unit) => unit.exported.name === name))
  const awaited = names((_, condition) => condition === 'ready')
  const halves = Object.keys(limits).filter((limit) => /^:|:$/.test(limits[limit] ?? ''))
  const single = exported.schedule ? 'A timer starts one service' : `${exported.title} shares no socket of systemd`
  const found: readonly (readonly [is: boolean, key: keyof ExportedProcess['from'], message: string])[] = [
    [alive !== null, 'alive', 'systemd asks no service whether it works: it starts what has ended again.'],
    [!!from.ready && completes, 'ready', 'What ends by itself is ready when it has ended.'],
    [!!from.ready && !completes && isUnsaid(exported, input), 'ready', `systemd cannot ask that: ${instead(ready)}.`],
    [
      !!from.restart && !completes && restart.policy !== 'never' && restart.maxDelayMs !== restart.delayMs,
      'restart',
      `systemd 252 has no growing delay: it waits ${printDuration(restart.delayMs)} each time.`,
    ],
    [!!from.restart && completes, 'restart', 'What ends by itself is started again by the target or its timer alone.'],
    [services.length < instances, 'instances', `${single}: one instance runs.`],
    [strangers !== '', 'dependsOn', `Not exported along, and so not waited for: ${strangers}.`],
    [awaited !== '', 'dependsOn', `It waits for ${awaited}, and starts as well where that does not get ready in time.`],
    [
      memoryLimitBytes !== null,
      'memoryLimit',
      'The kernel kills what is larger, without a grace, and systemd starts it again.',
    ],
    [run === 'release', 'run', 'systemd knows no releases: it runs whenever the target is started.'],
    [
      !!from.reload && reload === 'rolling',
      'reload',
      `A restart stops the old one first${hasSocket ? ', while connections wait in the socket' : ''}.`,
    ],
    [!!from.log, 'log', `The journal keeps what is printed by its own limits, not ${log.keep} files of a size.`],
    [
      halves.length > 0,
      'limits',
      `systemd sets both halves of a limit, to the one that is given: ${halves.join(', ')}.`,
    ],
  ]
  return found.filter(([is]) => is).map(([, key, message]) => loss(exported, key, message))
}

/** Whether its probe is of a kind that a command after the start cannot ask. */
function isUnsaid({ ready, listen }: ExportedProcess, { project }: ExportInput): boolean {
  const { http, tcp, log } = ready
  const asksNobody = http?.startsWith('/') === true && listen.length === 0
  return log !== undefined || asksNobody || ((http ?? tcp) !== undefined && project.python === null)
}

const instead = ({ delayMs }: ExportedProcess['ready']): string =>
  delayMs === undefined ? 'it is ready when it is started' : `it is ready after ${printDuration(delayMs)}`
