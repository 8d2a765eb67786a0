import type { InstanceStatus, Why } from '../control/protocol.ts'
import { lastOwnLines } from './own-frames.ts'
import { processStatus } from './process/views.ts'
import type { Supervisor } from './supervisor.ts'

/** Explains the state of an instance, or of the first one of a process; undefined if there is none of that name. */
export function explain(supervisor: Supervisor, id: string): Why | undefined {
  const managed = [...supervisor.processes.values()].find(
    ({ name, currents }) => name === id || currents.some((one) => one.id === id),
  )
  const instance = managed?.currents.find((one) => one.id === id) ?? managed?.currents[0]
  if (!managed || !instance) return undefined
  const { spec, desired } = managed.state
  const status = processStatus(managed.state).instances.find((one) => one.instance === instance.id)
  if (!status) return undefined
  const { exits, machine } = instance.state
  const { failures } = machine.history
  return {
    status,
    wanted: desired,
    attempt: failures > 0 ? { number: failures, limit: spec.restart.limit } : null,
    recentExits: exits,
    lastLines: lastOwnLines(supervisor.lastLines(instance.id, machine.number)),
    hint: hintFor(status, supervisor.blockedBy(managed)),
  }
}

/** Returns the next thing to type. */
function hintFor({ state, process, instance }: InstanceStatus, blockers: readonly string[]): string | null {
  if (state === 'failed') return `Correct it, then: prodserver start ${process}`
  if (state === 'backoff') return `To try at once: prodserver restart ${instance}`
  if (state === 'stopped') return `prodserver start ${process}`
  return state === 'waiting' && blockers.length > 0 ? `Look: prodserver why ${blockers[0]}` : null
}
