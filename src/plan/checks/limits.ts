import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import { nearest } from '../../core/values.ts'

/** Those that Linux has, as prlimit names them. */
const LIMITS = new Set([
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
])

/** Whether there are such limits, and the values are some. Who starts the process would learn it a moment later. */
export function checkLimits({ limits = {}, placeOf }: Declaration): readonly Omit<Problem, 'process'>[] {
  return Object.entries(limits).flatMap(([name, value]): Omit<Problem, 'process'>[] => {
    const place = placeOf('limits', name)
    if (!LIMITS.has(name.toLowerCase())) {
      const near = nearest(name, [...LIMITS])
      const hint = near ? `Did you mean ${near}?` : `Limits are: ${[...LIMITS].join(', ')}`
      return [{ id: 'E107', place, message: `There is no limit ${JSON.stringify(name)}.`, hint }]
    }
    const [soft, hard] = String(value).split(':').map(numberOf)
    const isRight = !Number.isNaN(soft) && !Number.isNaN(hard) && !((soft ?? 0) > (hard ?? Number.POSITIVE_INFINITY))
    const message = `The limit ${name} is a number, or two as in "1024:4096", of which the second is the larger; not ${JSON.stringify(value)}.`
    return isRight ? [] : [{ id: 'E107', place, message }]
  })
}

/** Undefined where it is left as it is; not a number where it is none. */
function numberOf(text: string): number | undefined {
  if (text === '') return undefined
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : /^\d+$/.test(text) ? Number(text) : Number.NaN
}
