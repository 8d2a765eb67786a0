import * as v from 'valibot'
import { dictionary as dictionaryShape, text as textShape } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, dictionary, text, textOrNumber } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    limits: true
  }
}

/** Values by the name of the limit, as `prlimit` writes them. */
export type PlannedLimits = Readonly<Record<string, string>>

export const declared = () =>
  declareKey({
    order: 220,
    schema: dictionary(v.record(text(), textOrNumber()), 'a dictionary, such as {"nofile": 65536}'),
    description: 'Resource limits: `{"nofile": 65536}`.',
    example: { nofile: 65_536 },
    inner: 'any',
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, PlannedLimits> = {
  label: 'limits',
  show: (limits) =>
    Object.entries(limits)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ') || null,
  plan: (limits = {}) => Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, String(value)])),
  shape: dictionaryShape(/^[a-z]+$/i, textShape),
  hash: 'always',
  isLaunched: true,
}
