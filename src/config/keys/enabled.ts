import { flag } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey, truth } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    enabled: true
  }
}

export const declared = () =>
  declareKey({
    order: 240,
    schema: truth,
    description: 'False: it is declared, and nothing starts it.',
    shownDefault: 'True',
    example: false,
  })

export const planned: PlannedKey<OutputOf<typeof declared>, boolean> = {
  label: 'enabled',
  show: (enabled) => (enabled ? 'yes' : 'no'),
  plan: (enabled = true) => enabled,
  shape: flag,
}
