/** How often managers wake up while nothing happens. All at the same time: it is a long wait, and nothing disturbs it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from '../machine.ts'
import type { Setup } from './contestant.ts'
import type { Entrant, Samples } from './field.ts'
import { readWakeUps } from './processes.ts'
import { endRun, makePlace, managersOf, type Run, settle, startRun, stopRun, waitForChildren } from './running.ts'
import type { Ground } from './start-and-stop.ts'

export const IDLE_SECONDS = 10
const SETTLE_MS = 3000

/** @returns by name, how often in 10 seconds. */
export async function countWakeUps(
  entrants: readonly Entrant[],
  ground: Ground,
  count: number,
): Promise<Samples<number>> {
  const runs = new Map<string, Run<Setup>>()
  const failures = new Map<string, string>()
  try {
    for (const { name, configure } of entrants) {
      const place = makePlace(ground.folder, ground.node)
      const run = startRun(place, configure({ ...place, argv: [...ground.child, 'idle', place.report], count }))
      runs.set(name, run)
      await waitForChildren(run, count).catch((error: Error) => {
        say(`${name}: ${error.message}`)
        failures.set(name, error.message.split('\n')[0] ?? '')
      })
    }
    await Promise.all([...runs.values()].map((run) => settle(run, SETTLE_MS)))
    const managers = new Map([...runs].map(([name, run]) => [name, managersOf(run)]))
    const before = new Map([...managers].map(([name, pids]) => [name, readWakeUps(pids)]))
    await sleep(IDLE_SECONDS * 1000)
    return new Map(
      [...managers].map(([name, pids]) => [
        name,
        failures.get(name) ?? [readWakeUps(pids) - (before.get(name) as number)],
      ]),
    )
  } finally {
    await Promise.all(
      [...runs.values()].map(async (run) => {
        await stopRun(run).catch((error: Error) => say(error.message))
        await endRun(run)
      }),
    )
  }
}
