import { rmSync } from 'node:fs'
import type { ProcessEvent } from '../../control/protocol.ts'
import { Instance, type World } from '../process/instance.ts'
import type { Journal } from './event-log.ts'
import type { Keeper, KeptLife } from '../shim/client.ts'
import { addSlot, type Managed, type Slot } from '../process/managed.ts'
import { isSameProcess } from '../procfs/process-table.ts'
import { numberOf, pipeOf, strangerSpec, tokenOf } from './saved-instances.ts'
import type { SavedLife, SavedState } from './state-file.ts'

export interface Adoption {
  readonly stateDir: string
  readonly saved: SavedState
  readonly keeper: Pick<Keeper, 'lives' | 'adopt'>
  readonly processes: ReadonlyMap<string, Managed>
  readonly world: World
  readonly write: (news: Parameters<Journal['write']>[0]) => ProcessEvent
  /** What the keeper tells of the life is for this instance. */
  readonly take: (instance: Instance, token: string, pid: number) => void
  /** It is of a process that is declared no more. */
  readonly onStranger: (instance: Instance) => void
  /** It is a second life beside the one that serves, and is being stopped. */
  readonly onBeside: (slot: Slot, instance: Instance) => void
}

/** Takes over the lives that an earlier supervisor left running; the instances that they are of. */
export function adoptLives(adoption: Adoption): readonly string[] {
  const { stateDir, keeper, saved, write } = adoption
  const kept = new Map(keeper.lives.map((life) => [life.token, life]))
  const adopted: string[] = []
  for (const life of saved.lives) {
    const { process, instance, run, pid, startTicks } = life
    const isKept = kept.delete(tokenOf(instance, run))
    if (isKept || isSameProcess(pid, startTicks)) {
      adoptLife(adoption, life, isKept)
      adopted.push(instance)
      continue
    }
    // Nobody prints into it any more, and no keeper will read it.
    rmSync(pipeOf(stateDir, instance, run), { force: true })
    const exit = { code: null, signal: null }
    const message = 'ended while no supervisor was there; nobody saw how'
    write({ type: 'exited', process, instance, run, pid, exit, message })
  }
  for (const life of kept.values()) {
    adoptLife(adoption, unnoted(life), true)
    adopted.push(life.instance)
  }
  return adopted
}

/** Started by a supervisor that was killed before it could note it. */
function unnoted({ instance, run, pid, startTicks }: KeptLife): SavedLife {
  const process = instance.replace(/\.\d+$/, '')
  const rest = { ready: false, restarts: 0, stopping: false, beside: false, probeAddress: null }
  const stop = { signal: 'TERM', timeoutMs: 30_000 }
  return { instance, process, run, pid, startTicks, hash: '', startedMs: Date.now(), ...rest, stop }
}

function adoptLife(adoption: Adoption, saved: SavedLife, isKept: boolean): void {
  const { stateDir, keeper, processes, write } = adoption
  const { instance: id, process, run, pid, startTicks, hash, startedMs, probeAddress } = saved
  const token = tokenOf(id, run)
  const instance = placeOf(adoption, saved)
  adoption.take(instance, token, pid)
  instance.adopt({ token, run, hash, startedMs, probeAddress, pid, startTicks }, saved)
  if (!isKept) keeper.adopt({ token, pid, startTicks, instance: id, run }, pipeOf(stateDir, id, run))
  write({ type: 'adopted', process, instance: id, run, pid, message: `goes on with pid ${pid}` })
  // What a reload had begun is not what serves; what is not declared any more has nobody to serve; what was asked to
  // stop for good does not come back. One that is stopping already is not asked twice.
  const managed = processes.get(process)
  if (managed) managed.wanted = adoption.saved.processes[process]?.wanted ?? 'running'
  const isCurrent = managed?.slots.some(({ current }) => current === instance)
  if (!isCurrent || managed?.wanted === 'stopped') instance.stop()
  const slot = managed?.slots.find(({ beside }) => beside === instance)
  if (slot) adoption.onBeside(slot, instance)
}

/** The instance that a life is of; one of no process, where it is declared no more. */
function placeOf({ processes, world, onStranger }: Adoption, saved: SavedLife): Instance {
  const { instance: id, run, process, beside } = saved
  const managed = processes.get(process)
  if (managed) {
    while (managed.slots.length < numberOf(id)) addSlot(managed, world)
    const slot = managed.slots[numberOf(id) - 1]
    const lastRun = Math.max(run, slot?.current.lastRun ?? 0)
    if (slot && !beside && slot.current.life === null) {
      slot.current = new Instance(id, managed.spec, world, run)
      slot.current.countRuns(lastRun)
      return slot.current
    }
    if (slot) {
      slot.current.countRuns(lastRun)
      return (slot.beside = new Instance(id, managed.spec, world, run))
    }
  }
  const stranger = new Instance(id, strangerSpec(saved), world, run)
  onStranger(stranger)
  return stranger
}
