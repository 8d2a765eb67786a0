import * as v from 'valibot'
import { integer } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { count, declareKey, oneOf } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    instances: true
  }
}

export const declared = () =>
  declareKey({
    order: 70,
    schema: v.union([count, oneOf(['cpu'])], 'a whole number of at least 1, or "cpu"'),
    description: 'How many copies to run.',
    shownDefault: '1',
    example: 3,
  })

export const planned: PlannedKey<OutputOf<typeof declared>, number> = {
  label: 'instances',
  show: String,
  plan: (instances = 1, { processors }) => (instances === 'cpu' ? processors : instances),
  shape: integer(0, 1000),
}
