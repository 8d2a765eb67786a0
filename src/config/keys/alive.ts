import { orNull } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { describeRepeated, PROBE_KINDS, PROBE_PARTS, type PlannedProbe, planProbe, probeShape } from '../probe.ts'
import { declareKey, probe } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    alive: true
  }
}

export const declared = () =>
  declareKey({
    order: 110,
    schema: probe,
    description: 'A probe that must go on passing, in the same form.',
    example: { http: '/health/', interval: '10s' },
    inner: PROBE_PARTS,
    alternatives: PROBE_KINDS,
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedProbe | null> = {
  label: 'alive',
  show: (alive) => alive && describeRepeated(alive),
  plan: (alive) => (alive ? planProbe(alive) : null),
  shape: orNull(probeShape),
}
