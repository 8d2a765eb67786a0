import type { Declaration } from '../../config/declarations.ts'
import { nearest } from '../../core/values.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

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

/** The limits of a process exist on Linux, and have values that a process can take. */
export const limits: Check<'thorough'> = {
  when: 'thorough',
  find: eachResolved(({ declaration }) => wrongLimits(declaration)),
}

function wrongLimits({ limits = {}, placeOf }: Declaration): readonly ProcessProblem[] {
  return Object.entries(limits).flatMap(([name, value]): ProcessProblem[] => {
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
