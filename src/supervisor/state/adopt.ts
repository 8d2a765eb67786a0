import { rmSync } from 'node:fs'
import type { AdoptedInvocation } from '../process/events.ts'
import { pipeOf, slotOf, tokenOf } from '../process/names.ts'
import type { ManagedProcess } from '../process/managed.ts'
import type { Shim } from '../shim/client.ts'
import type { HeldInvocation } from '../shim/messages.ts'
import type { ProcessSpec } from '../spec.ts'
import type { News } from './event-log.ts'
import { undeclaredSpec } from './saved-instances.ts'
import type { SavedLife, SavedState } from './state-file.ts'

type Dispatching = Pick<ManagedProcess, 'dispatch'>

interface Adoption {
  readonly stateDir: string
  readonly saved: SavedState
  readonly shim: Pick<Shim, 'invocations'>
  readonly declared: ReadonlyMap<string, Dispatching>
  readonly addUndeclared: (spec: ProcessSpec) => Dispatching
  /** Says whether the process of that pid is still the one with these start ticks. */
  readonly isRunning: (pid: number, startTicks: number) => boolean
  readonly write: (news: News) => void
}

/** Takes over what an earlier supervisor left running. Returns the ids of its instances. */
export function adoptAll(adoption: Adoption): readonly string[] {
  const { stateDir, shim, saved, write } = adoption
  const kept = new Map(shim.invocations.map((held) => [held.token, held]))
  const adopted: string[] = []
  for (const life of saved.lives) {
    const { process, instance, run, pid, startTicks } = life
    const isKept = kept.delete(tokenOf(instance, run))
    if (isKept || adoption.isRunning(pid, startTicks)) {
      adoptOne(adoption, life, isKept)
      adopted.push(instance)
      continue
    }
    // No shim will read the pipe, and no program writes into it.
    rmSync(pipeOf(stateDir, instance, run), { force: true })
    const exit = { code: null, signal: null }
    const message = 'ended while no supervisor was there; nobody saw how'
    write({ type: 'exited', process, instance, invocation: run, pid, exit, message })
  }
  for (const life of kept.values()) {
    adoptOne(adoption, unsaved(life), true)
    adopted.push(life.instance)
  }
  return adopted
}

/** Describes an invocation that was started just before the supervisor was killed, so that only the shim knows it. */
function unsaved({ instance, invocation: run, pid, startTicks }: HeldInvocation): SavedLife {
  const process = instance.replace(/\.\d+$/, '')
  const rest = { ready: false, restarts: 0, stopping: false, beside: false, probeAddress: null }
  const stop = { signal: 'TERM', timeoutMs: 30_000 }
  return { instance, process, run, pid, startTicks, hash: '', startedMs: Date.now(), ...rest, stop }
}

function adoptOne(adoption: Adoption, life: SavedLife, isKept: boolean): void {
  const name = life.process
  const declared = adoption.declared.get(name)
  const managed = declared ?? adoption.addUndeclared(undeclaredSpec(life))
  // A process that was removed from the declaration is stopped.
  const desired = declared ? (adoption.saved.processes[name]?.wanted ?? 'running') : 'stopped'
  managed.dispatch({ type: 'adopted', found: foundOf(life, isKept), desired })
}

function foundOf(life: SavedLife, isKept: boolean): AdoptedInvocation {
  const { instance, run, pid, startTicks, hash, startedMs, probeAddress, ready, restarts, stopping, beside } = life
  const token = tokenOf(instance, run)
  return {
    slot: slotOf(instance),
    invocation: { token, number: run, hash, startedMs, probeAddress, pid, startTicks },
    ready,
    restarts,
    stopping,
    isLeftover: beside,
    isKept,
  }
}
