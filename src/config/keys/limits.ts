import * as v from 'valibot'
import { CANONICAL_LIMIT, parseLimit, parseLimitName, printLimit } from '../../core/limits.ts'
import { dictionary as dictionaryShape, textLike } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, dictionary, text, textOrNumber } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    limits: true
  }
}

/** Limits in their canonical form, by canonical name. */
export type PlannedLimits = Readonly<Record<string, string>>

export const declared = () =>
  declareKey({
    order: 220,
    schema: dictionary(v.record(text, textOrNumber), 'a dictionary, such as {"nofile": 65536}'),
    description:
      'Resource limits: `{"nofile": 65536}`. A value is a number, `unlimited`, or a soft and a hard limit, `"1024:4096"`.',
    example: { nofile: 65_536 },
    inner: 'any',
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, PlannedLimits> = {
  label: 'limits',
  show: (limits) =>
    Object.entries(limits)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ') || null,
  plan: planLimits,
  shape: dictionaryShape(/^[a-z]+$/, textLike(CANONICAL_LIMIT)),
  hash: 'always',
  isLaunched: true,
}

/** A limit that cannot be parsed stays as it is: the check of limits reports it. */
function planLimits(limits: OutputOf<typeof declared> = {}): PlannedLimits {
  const entries = Object.entries(limits).map(([written, value]) => {
    const limit = parseLimit(value)
    return [parseLimitName(written) ?? written, limit ? printLimit(limit) : String(value)]
  })
  return Object.fromEntries(entries)
}
