import { object, orNull, text } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey, matching } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    schedule: true
  }
}

export interface PlannedSchedule {
  readonly cron: string
  readonly tz: string
}

const CRON = /^(@(yearly|monthly|weekly|daily|hourly)|\S+(\s+\S+){4,5})$/

export const declared = () =>
  declareKey({
    order: 160,
    schema: matching(CRON, 'a cron expression of five or six fields'),
    description: 'A cron expression: run to completion at those times, never twice at once.',
    example: '30 3 * * *',
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedSchedule | null> = {
  label: 'schedule',
  show: (schedule) => schedule && `${schedule.cron} ${schedule.tz}`,
  plan: (cron, { declaration: { tz = 'UTC' } }) => (cron === undefined ? null : { cron, tz }),
  shape: orNull(object<PlannedSchedule>({ cron: text, tz: text })),
}
