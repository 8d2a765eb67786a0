import type { PartKey } from '../key.ts'
import { declareKey, nonEmptyText } from '../schemas.ts'
import type { PlannedSchedule } from './schedule.ts'

declare module '../key.ts' {
  interface KeyFiles {
    tz: true
  }
}

export const declared = () =>
  declareKey({
    order: 170,
    schema: nonEmptyText,
    description: 'Time zone of `SCHEDULE`.',
    shownDefault: 'UTC',
    example: 'Europe/Berlin',
  })

export const planned: PartKey<PlannedSchedule | null> = {
  partOf: 'schedule',
  label: 'time zone',
  show: (schedule) => schedule && schedule.tz,
}
