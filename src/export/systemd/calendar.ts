/** Cron expressions in the words of `OnCalendar=`. */

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
 * Returns the times of a cron expression as values of `OnCalendar=`: several if the days of the month and of the week are
 * alternatives, undefined if systemd cannot express them.
 */
export function calendarOf({ cron, tz }: { cron: string; tz: string }): readonly string[] | undefined {
  const text = NICKNAMES[cron.trim().toLowerCase()] ?? cron.trim().replaceAll('?', '*')
  const given = text.split(/\s+/)
  if (given.length === 5) given.unshift('0')
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] = given
  const time = [convert(hour, 0, 23), convert(minute, 0, 59), convert(second, 0, 59)]
  const months = convert(replaceNames(month, MONTHS, 1), 1, 12)
  const days = [...daysOfMonth(day), ...daysOfWeek(replaceNames(weekday, WEEKDAYS, 0))]
  // As in every cron, if the day of the month and the day of the week are both given, either is enough.
  if (days.length === 0) days.push({ weekdays: '', day: ANY_DAY })
  if ([...time, months, ...days].includes(undefined)) return undefined
  return days.map((each) => `${each?.weekdays} *-${months}${each?.day} ${time.join(':')} ${tz}`.trimStart())
}

interface Days {
  /** `Mon,Fri`; empty for all. */
  readonly weekdays: string
  /** `-1`, or `~01`, counted from the end of the month. */
  readonly day: string
}

const ANY_DAY = '-*'

/** Returns no days for every day, and undefined for days that systemd cannot express. */
function daysOfMonth(field: string): readonly (Days | undefined)[] {
  const parts = field === '*' ? [] : field.split(',')
  const { number, last } = Object.groupBy(parts, (part) => (/^L$/i.test(part) ? 'last' : 'number'))
  const days: (Days | undefined)[] = []
  const numbers = number && convert(number.join(','), 1, 31)
  if (number) days.push(numbers === undefined ? undefined : { weekdays: '', day: `-${numbers}` })
  if (last) days.push({ weekdays: '', day: '~01' })
  return days
}

function daysOfWeek(field: string): readonly (Days | undefined)[] {
  const parts = field === '*' ? [] : field.split(',')
  const { nth = [], plain } = Object.groupBy(parts, (part) => (part.includes('#') ? 'nth' : 'plain'))
  const days = nth.map(nthWeekday)
  return plain ? [plainWeekdays(plain.join(',')), ...days] : days
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
function parse(field: string, from: number, to: number): readonly number[] | undefined {
  const values = field.split(',').map((part) => parsePart(part, from, to))
  if (values.some(({ length }) => length === 0)) return undefined
  return [...new Set(values.flat())].toSorted((a, b) => a - b)
}

/** Returns the values of a number or range; none if the part is something else. */
function parsePart(part: string, from: number, to: number): readonly number[] {
  const [, all, low, high, step] = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? []
  if (all === undefined && low === undefined) return []
  const first = low === undefined ? from : Number(low)
  // A number with a step stands for a range to the end of the field.
  const isRange = low === undefined || step !== undefined
  const last = Number(high ?? (isRange ? to : low))
  if (first < from || last > to || first > last || step === '0') return []
  const each = Number(step ?? 1)
  return Array.from({ length: Math.floor((last - first) / each) + 1 }, (_, index) => first + index * each)
}

/** Converts a field to the shortest form: all values, every so many, a range, or a list. */
function convert(field: string, from: number, to: number): string | undefined {
  const values = parse(field, from, to)
  if (values === undefined) return undefined
  const [first = 0, second = first] = values
  const last = values.at(-1) ?? first
  if (values.length === to - from + 1) return '*'
  const step = second - first
  const isEven = values.length > 2 && values.every((value, index) => value === first + index * step)
  if (isEven && step === 1) return `${pad(first)}..${pad(last)}`
  if (isEven && last + step > to) return `${pad(first)}/${step}`
  return values.map(pad).join(',')
}

const pad = (value: number): string => String(value).padStart(2, '0')
