const two = (number: number): string => String(number).padStart(2, '0')

/** `2026-11-24`. */
export function renderDate(timeMs: number, utc: boolean): string {
  const date = new Date(timeMs)
  return utc
    ? date.toISOString().slice(0, 10)
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** `12:01:44.120`, local or in UTC. */
export function renderClock(timeMs: number, utc: boolean): string {
  const date = new Date(timeMs)
  if (utc) return date.toISOString().slice(11, 23)
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`
}

/** `2026-11-24T12:01:44.120+01:00`: a whole point in time. */
export function renderStamp(timeMs: number, utc: boolean): string {
  const text = `${renderDate(timeMs, utc)}T${renderClock(timeMs, utc)}`
  if (utc) return `${text}Z`
  const minutes = -new Date(timeMs).getTimezoneOffset()
  const ahead = Math.abs(minutes)
  return `${text}${minutes < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`
}
