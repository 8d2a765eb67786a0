import * as v from 'valibot'
import { defined } from '../../core/defined.ts'
import { printDuration } from '../../core/durations.ts'
import { milliseconds, object, type Shape, word } from '../../core/shape.ts'
import { type OutputOf, type PlannedKey, STOP_SIGNALS } from '../key.ts'
import { declareKey, dictionary, duration, matching } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    stop: true
  }
}

export interface PlannedStop {
  /** Without `SIG`. */
  readonly signal: string
  readonly timeoutMs: number
}

const signal = () =>
  v.pipe(
    matching(/^(SIG)?(TERM|INT|QUIT|HUP|USR1|USR2|KILL)$/, 'a signal: TERM, INT, QUIT, HUP, USR1, USR2 or KILL'),
    v.transform((name) => name.replace(/^SIG/, '')),
  )

export const declared = () =>
  declareKey({
    order: 130,
    schema: dictionary(
      v.strictObject({ signal: v.optional(signal()), timeout: v.optional(duration) }),
      'a dictionary with signal and timeout',
    ),
    description: 'The `signal` that asks it to stop, and the `timeout` after which it is killed.',
    shownDefault: "the backend's",
    example: { signal: 'INT', timeout: '90s' },
    inner: ['signal', 'timeout'],
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedStop> = {
  label: 'stop',
  show: ({ signal, timeoutMs }) => `${signal}, then KILL after ${printDuration(timeoutMs)}`,
  isAlwaysShown: true,
  plan: (stop, { backend }) => ({
    signal: stop?.signal ?? backend.stop?.signal ?? 'TERM',
    timeoutMs: stop?.timeout ?? backend.stop?.timeoutMs ?? 30_000,
  }),
  fromBackend: ({ stop = {} }) => Object.keys(defined({ signal: stop.signal, timeout: stop.timeoutMs })),
  shape: object<PlannedStop>({ signal: word(STOP_SIGNALS) as Shape<string>, timeoutMs: milliseconds }),
}
