import { word } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey, oneOf } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    run: true
  }
}

const RUNS = ['always', 'once', 'release'] as const

export const declared = () =>
  declareKey({
    order: 80,
    schema: oneOf(RUNS),
    description: '`always`: a service. `once`: to completion at each `up`. `release`: to completion once per release.',
    shownDefault: 'always',
    example: 'once',
  })

export const planned: PlannedKey<OutputOf<typeof declared>, (typeof RUNS)[number]> = {
  label: 'run',
  show: (run) => run,
  plan: (run = 'always') => run,
  shape: word(RUNS),
}
