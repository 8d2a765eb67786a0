import * as v from 'valibot'
import { integer, orNull } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    nice: true
  }
}

export const declared = () =>
  declareKey({
    order: 210,
    schema: v.pipe(
      v.number('a number'),
      v.integer('a whole number'),
      v.minValue(-20, 'at least -20'),
      v.maxValue(19, 'at most 19'),
    ),
    description: 'Scheduling priority.',
    example: 5,
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, number | null> = {
  label: 'nice',
  show: (nice) => (nice === null ? null : String(nice)),
  plan: (nice) => nice ?? null,
  shape: orNull(integer(-20, 19)),
  hash: 'always',
  isLaunched: true,
}
