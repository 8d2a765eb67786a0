import { orNull, text } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, textOrNumber } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    group: true
  }
}

export const declared = () =>
  declareKey({
    order: 190,
    schema: textOrNumber,
    description: 'Group to run as.',
    example: 'www-data',
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, string | null> = {
  label: 'group',
  show: (group) => group,
  plan: (group) => (group === undefined ? null : String(group)),
  shape: orNull(text),
  hash: 'always',
  isLaunched: true,
  explainFailure: (group) => `it cannot become the group ${group}`,
}
