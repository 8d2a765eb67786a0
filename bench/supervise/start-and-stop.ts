/** How long it takes until so many children run, and until none does; and what the manager takes meanwhile. */
import type { Entrant } from './field.ts'
import { readMemory } from './processes.ts'
import { endRun, makePlace, managersOf, settle, startRun, stopRun, type StopTimes, waitForChildren } from './running.ts'

export interface Ground {
  /** Runs have their folders here. */
  readonly folder: string
  readonly node: string
  /** The program of the children: its words. */
  readonly child: readonly string[]
}

export interface Cycle {
  readonly startMs: number
  readonly stop: StopTimes
  /** Of all processes of the manager, once all runs, bytes. */
  readonly pss: number
}

const SETTLE_MS = 1000

export async function startAndStop(entrant: Entrant, ground: Ground, count: number): Promise<Cycle> {
  const place = makePlace(ground.folder, ground.node)
  const run = startRun(place, entrant.configure({ ...place, argv: [...ground.child, 'idle', place.report], count }))
  try {
    const startMs = await waitForChildren(run, count)
    await settle(run, SETTLE_MS)
    const { pss } = readMemory(managersOf(run))
    const stop = await stopRun(run)
    return { startMs, stop, pss }
  } finally {
    await endRun(run)
  }
}
