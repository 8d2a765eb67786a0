import * as v from 'valibot'
import { flag, integer, object } from '../../core/shape.ts'
import { printSize } from '../../core/sizes.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { count, declareKey, dictionary, size, truth } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    log: true
  }
}

export interface PlannedLog {
  /** Size at which a file is rotated. */
  readonly maxSizeBytes: number
  /** Number of rotated files that are kept. */
  readonly keep: number
  readonly compress: boolean
}

export const declared = () =>
  declareKey({
    order: 230,
    schema: dictionary(
      v.strictObject({
        maxSize: v.optional(size),
        keep: v.optional(count),
        compress: v.optional(truth),
      }),
      'a dictionary with max_size, keep and compress',
    ),
    description: 'Log files: `max_size`, `keep`, `compress`.',
    example: { maxSize: '50M', keep: 9 },
    inner: ['maxSize', 'keep', 'compress'],
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedLog> = {
  label: 'log',
  show: ({ maxSizeBytes, keep, compress }) =>
    `${keep} files of ${printSize(maxSizeBytes)} are kept${compress ? ', compressed' : ''}`,
  plan: (log) => ({
    maxSizeBytes: log?.maxSize ?? 10 * 1024 ** 2,
    keep: log?.keep ?? 5,
    compress: log?.compress ?? true,
  }),
  shape: object<PlannedLog>({
    maxSizeBytes: integer(1, Number.MAX_SAFE_INTEGER),
    keep: integer(0, 1_000_000_000),
    compress: flag,
  }),
}
