import { orNull, text } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, textOrNumber } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    user: true
  }
}

export const declared = () =>
  declareKey({
    order: 180,
    schema: textOrNumber,
    description: 'User to run as.',
    example: 'shop',
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, string | null> = {
  label: 'user',
  show: (user) => user,
  plan: (user) => (user === undefined ? null : String(user)),
  shape: orNull(text),
  hash: 'always',
  isLaunched: true,
  explainFailure: (user) => `it cannot become the user ${user}`,
}
