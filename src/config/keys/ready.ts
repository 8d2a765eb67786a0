import type { OutputOf, PlannedKey } from '../key.ts'
import { describeProbe, PROBE_KINDS, PROBE_PARTS, type PlannedProbe, planProbe, probeShape } from '../probe.ts'
import { declareKey, probe } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    ready: true
  }
}

export const declared = () =>
  declareKey({
    order: 100,
    schema: probe,
    description:
      'When it counts as ready: `http`, `tcp`, `exec`, `log`, `delay` or `notify`, with `interval`, `timeout` and `failures`.',
    shownDefault: "the backend's",
    example: { http: '/health/' },
    inner: PROBE_PARTS,
    alternatives: PROBE_KINDS,
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedProbe> = {
  label: 'ready',
  show: describeProbe,
  isAlwaysShown: true,
  plan: (ready, { backend }) => planProbe(ready ?? backend.ready ?? { delay: 1000 }),
  fromBackend: ({ ready = {} }) => Object.keys(ready),
  shape: probeShape,
}
