/** How long it takes from the end of a child by SIGKILL to the start of the next. */
import type { Entrant } from './field.ts'
import { countReports, nowMs, readReports, waitForReports } from './reports.ts'
import { endRun, makePlace, settle, startRun, waitForChildren } from './running.ts'
import type { Ground } from './start-and-stop.ts'

const CHILDREN = 30
/** Some wait where a child has run for less than a second. */
const LIFE_MS = 1300
const LIMIT_MS = 5000
/** Those that take a second have fewer turns. */
const BUDGET_MS = 8000

/** @returns the times, milliseconds. Each child is killed once, one after the other. */
export async function crash(entrant: Entrant, ground: Ground): Promise<readonly number[]> {
  const place = makePlace(ground.folder, ground.node)
  const argv = [...ground.child, 'idle', place.report]
  const run = startRun(place, entrant.configure({ ...place, argv, count: CHILDREN, restart: true }))
  try {
    await waitForChildren(run, CHILDREN)
    await settle(run, LIFE_MS)
    const times: number[] = []
    const deadline = performance.now() + BUDGET_MS
    for (const { pid } of readReports(place.report)) {
      if (performance.now() > deadline) break
      times.push(await relaunch(pid, place.report))
    }
    return times
  } finally {
    await endRun(run, 0)
  }
}

async function relaunch(pid: number, report: string): Promise<number> {
  const before = countReports(report)
  const killedMs = nowMs()
  process.kill(pid, 'SIGKILL')
  if (!(await waitForReports(report, before + 1, LIMIT_MS))) throw new Error('a killed child was not started again')
  return (readReports(report)[before]?.atMs ?? 0) - killedMs
}
