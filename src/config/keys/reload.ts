import { describeReload, RELOAD_STRATEGIES, type ReloadStrategy } from '../../core/reload-strategy.ts'
import { word } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey, oneOf } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    reload: true
  }
}

export const declared = () =>
  declareKey({
    order: 140,
    schema: oneOf(['auto', ...RELOAD_STRATEGIES]),
    description: 'How new code gets in.',
    shownDefault: 'auto',
    example: 'signal',
  })

export const planned: PlannedKey<OutputOf<typeof declared>, ReloadStrategy> = {
  label: 'reload',
  show: (_, process) => describeReload(process),
  isAlwaysShown: true,
  plan: (reload = 'auto', { backend }) => (reload === 'auto' ? (backend.reload ?? 'restart') : reload),
  fromBackend: ({ reload }) => reload !== undefined,
  shape: word(RELOAD_STRATEGIES),
}
