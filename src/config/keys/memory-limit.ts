import { bytes, orNull } from '../../core/shape.ts'
import { printSize } from '../../core/sizes.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey, size } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    memoryLimit: true
  }
}

export const declared = () =>
  declareKey({
    order: 150,
    schema: size,
    description: 'Replace an instance gracefully when its whole process tree is larger.',
    example: '512M',
  })

export const planned: PlannedKey<OutputOf<typeof declared>, number | null> & { readonly field: 'memoryLimitBytes' } = {
  field: 'memoryLimitBytes',
  label: 'memory',
  show: (limit) => (limit === null ? null : `replaced above ${printSize(limit)}`),
  plan: (limit) => limit ?? null,
  shape: orNull(bytes),
}
