/** Cron expressions in the words of `OnCalendar=`. */

/** Values of one field; undefined stands for all of them. */
type Values = readonly number[] | undefined

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/**
 * The times of a cron expression as values of `OnCalendar=`; more than one where the days of the month and of the week
 * are alternatives. Undefined where systemd has no word for it.
 */
export function calendarOf({ cron, tz }: { cron: string; tz: string }): readonly string[] | undefined {
  const text = NICKNAMES[cron.trim().toLowerCase()] ?? cron.trim().replaceAll('?', '*')
  const given = text.split(/\s+/)
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] =
    given.length === 5 ? ['0', ...given] : given
  const time = [
    render(parse(hour, 0, 23), 0, 23),
    render(parse(minute, 0, 59), 0, 59),
    render(parse(second, 0, 59), 0, 59),
  ]
  const months = render(parse(replaceNames(month, MONTHS, 1), 1, 12), 1, 12)
  const days = daysOf(day, replaceNames(weekday, WEEKDAYS, 0))
  if (!days || months === undefined || time.includes(undefined)) return undefined
  return days.map(({ weekdays, day: dayOfMonth }) => {
    const rest = `*-${months}${dayOfMonth} ${time.join(':')} ${tz}`
    return weekdays === '' ? rest : `${weekdays} ${rest}`
  })
}

interface Days {
  /** `Mon,Fri`; empty for all. */
  readonly weekdays: string
  /** `-1`, or `~01`, counted from the end of the month. */
  readonly day: string
}

const ANY_DAY = '-*'

/** As in every cron: where both the day of the month and the day of the week are given, either is enough. */
function daysOf(day: string, weekday: string): readonly Days[] | undefined {
  const ofMonth = day === '*' ? [] : daysOfMonth(day)
  const ofWeek = weekday === '*' ? [] : daysOfWeek(weekday)
  if (!ofMonth || !ofWeek) return undefined
  const days = [...ofMonth, ...ofWeek]
  return days.length === 0 ? [{ weekdays: '', day: ANY_DAY }] : days
}

function daysOfMonth(field: string): readonly Days[] | undefined {
  const parts = field.split(',')
  const numbers = parts.filter((part) => !/^L$/i.test(part))
  const last = numbers.length < parts.length ? [{ weekdays: '', day: '~01' }] : []
  if (numbers.length === 0) return last
  const rendered = render(parse(numbers.join(','), 1, 31), 1, 31)
  return rendered === undefined ? undefined : [{ weekdays: '', day: `-${rendered}` }, ...last]
}

function daysOfWeek(field: string): readonly Days[] | undefined {
  const parts = field.split(',')
  const nth = parts.filter((part) => part.includes('#')).map(nthWeekday)
  if (nth.includes(undefined)) return undefined
  const plain = parts.filter((part) => !part.includes('#'))
  if (plain.length === 0) return nth as Days[]
  const weekdays = plainWeekdays(plain.join(','))
  return weekdays && [weekdays, ...(nth as Days[])]
}

/** Converts `5#2`, the second Friday of a month: a Friday from the 8th to the 14th. `5#L` is in the last seven days. */
function nthWeekday(part: string): Days | undefined {
  const [, number = '', which = ''] = /^([0-7])#([1-5L])$/i.exec(part) ?? []
  if (which === '') return undefined
  const weekdays = WEEKDAYS[Number(number) % 7] as string
  if (/L/i.test(which)) return { weekdays, day: '~07/1' }
  const first = (Number(which) - 1) * 7 + 1
  return { weekdays, day: `-${pad(first)}..${pad(Math.min(first + 6, 31))}` }
}

/** Converts a list of weekdays; all seven need no word. */
function plainWeekdays(field: string): Days | undefined {
  const values = parse(field, 0, 7)
  if (values === undefined) return undefined
  const numbers = [...new Set(values.map((value) => value % 7))].toSorted((a, b) => a - b)
  const names = numbers.map((value) => WEEKDAYS[value]).join(',')
  return { weekdays: numbers.length === 7 ? '' : names, day: ANY_DAY }
}

const replaceNames = (field: string, names: readonly string[], first: number): string =>
  field.replace(/[a-z]{3}/gi, (name) => {
    const at = names.findIndex((candidate) => candidate.toLowerCase() === name.toLowerCase())
    return at < 0 ? name : String(at + first)
  })

/** Returns every value of a field; undefined if the field is not a list of numbers, ranges and steps. */
function parse(field: string, from: number, to: number): Values {
  const parts = field.split(',').map((part) => parsePart(part, from, to))
  if (parts.includes(undefined)) return undefined
  return [...new Set(parts.flatMap((values) => values ?? []))].toSorted((a, b) => a - b)
}

function parsePart(part: string, from: number, to: number): Values {
  const [, all, low, high, step] = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? []
  if (all === undefined && low === undefined) return undefined
  const first = low === undefined ? from : Number(low)
  // A number with a step stands for a range to the end of the field.
  const isRange = low === undefined || step !== undefined
  const last = Number(high ?? (isRange ? to : low))
  if (first < from || last > to || first > last || step === '0') return undefined
  const each = Number(step ?? 1)
  return Array.from({ length: Math.floor((last - first) / each) + 1 }, (_, index) => first + index * each)
}

/** As short as systemd reads it: all of them, every so many, a range, or a list. */
function render(values: Values, from: number, to: number): string | undefined {
  const [first, second] = values ?? []
  if (values === undefined || first === undefined) return undefined
  if (values.length === to - from + 1) return '*'
  const step = (second ?? first) - first
  const isEven = values.length > 2 && values.every((value, index) => value === first + index * step)
  if (isEven && step === 1) return `${pad(first)}..${pad(values.at(-1) as number)}`
  if (isEven && (values.at(-1) as number) + step > to) return `${pad(first)}/${step}`
  return values.map(pad).join(',')
}

const pad = (value: number): string => String(value).padStart(2, '0')
