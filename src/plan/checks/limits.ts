import type { Declaration } from '../../config/declarations.ts'
import { LIMIT_NAMES, parseLimit, parseLimitName } from '../../core/limits.ts'
import { nearest } from '../../core/values.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

/** Linux has the limits of a process, and they have values that can be set. */
export const limits: Check = {
  when: 'always',
  find: eachResolved(({ declaration }) => wrongLimits(declaration)),
}

function wrongLimits({ limits = {}, placeOf }: Declaration): readonly ProcessProblem[] {
  const seen = new Set<string>()
  return Object.entries(limits).flatMap(([written, value]): ProcessProblem[] => {
    const place = placeOf('limits', written)
    const shown = JSON.stringify(written)
    const name = parseLimitName(written)
    if (name === undefined)
      return [{ id: 'E107', place, message: `There is no limit ${shown}.`, hint: hintFor(written) }]
    if (seen.has(name)) return [{ id: 'E107', place, message: `The limit ${name} is given twice.` }]
    seen.add(name)
    if (parseLimit(value)) return []
    const message = `The limit ${written} must be a number, "unlimited", or two of them as in "1024:4096", the larger one last; not ${JSON.stringify(value)}.`
    return [{ id: 'E107', place, message }]
  })
}

function hintFor(written: string): string {
  const near = nearest(written, LIMIT_NAMES)
  return near ? `Did you mean ${near}?` : `Limits are: ${LIMIT_NAMES.join(', ')}`
}
