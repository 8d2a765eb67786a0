import { orNull, textLike } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, matching } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    umask: true
  }
}

const OCTAL = /^[0-7]{1,4}$/

export const declared = () =>
  declareKey({
    order: 200,
    // A number would be ambiguous: Python sends 0o027 as 23.
    schema: matching(OCTAL, 'an octal number as a string, such as "027"'),
    description: 'File mode mask, octal: `"027"`.',
    example: '027',
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, string | null> = {
  label: 'umask',
  show: (umask) => umask,
  plan: (umask) => umask ?? null,
  shape: orNull(textLike(OCTAL)),
  hash: 'always',
  isLaunched: true,
}
