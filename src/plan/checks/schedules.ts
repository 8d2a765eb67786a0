import type { Problem } from '../../core/errors.ts'
import { nearest } from '../../core/values.ts'
import type { Check } from './check.ts'

/** `SCHEDULE` is a cron expression with a next time, and `TZ` is a time zone. */
export const schedules: Check = {
  when: 'always',
  find: async ({ processes, nowMs }) => {
    const scheduled = processes.filter(({ declaration }) => declaration.schedule !== undefined)
    if (scheduled.length === 0) return []
    // Only a project with a schedule loads the module that reads schedules.
    const { checkSchedule, checkZone } = await import('../schedule.ts')
    return scheduled.flatMap(({ declaration }): readonly Problem[] => {
      const { name: process, schedule = '', tz = 'UTC', placeOf } = declaration
      const message = checkSchedule(schedule, tz, nowMs)
      if (message === null) return []
      if (checkZone(tz) === null) return [{ id: 'E107', place: placeOf('schedule'), process, message, hint: CRON_HINT }]
      return [{ id: 'E107', place: placeOf('tz'), process, message, hint: zoneHint(tz) }]
    })
  },
}

const CRON_HINT = 'Minute, hour, day, month, weekday: "30 3 * * *" is every day at 3:30'

function zoneHint(tz: string): string {
  const near = nearest(tz, Intl.supportedValuesOf('timeZone'))
  return near ? `Did you mean ${near}?` : 'Such as "Europe/Berlin", or "UTC"'
}
