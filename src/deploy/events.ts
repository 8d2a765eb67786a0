import { printElapsed } from '../core/durations.ts'
import type { InstanceStatus, ProcessEvent } from '../control/protocol.ts'
import { defined } from '../core/defined.ts'

/** What happens on a cluster, in the words of events. */
export interface Events {
  /** What there is to tell of a new state; undefined where nothing is. */
  readonly of: (status: InstanceStatus, details: string | undefined) => ProcessEvent | undefined
  readonly make: (type: ProcessEvent['type'], process: string, instance: string, message: string) => ProcessEvent
  readonly done: (process: string) => ProcessEvent
  readonly skipped: (process: string, message: string) => ProcessEvent
}

export function createEvents(): Events {
  let id = 0
  const make = (
    event: Pick<ProcessEvent, 'type' | 'process' | 'instance' | 'message'> & Partial<ProcessEvent>,
  ): ProcessEvent => ({
    id: ++id,
    time: new Date().toISOString(),
    invocation: null,
    pid: null,
    ...event,
  })
  return {
    of: (
      { instance, process: name, state, reason, startedAt, readyAt }: InstanceStatus,
      details: string | undefined,
    ) => {
      const base = defined({ process: name, instance, details })
      const ms = readyAt && startedAt ? Date.parse(readyAt) - Date.parse(startedAt) : undefined
      switch (state) {
        case 'running':
          return make({
            ...base,
            type: 'ready',
            message: ms === undefined ? 'ready' : `ready after ${printElapsed(ms)}`,
            ms,
          })
        case 'waiting':
          return make({ ...base, type: 'waiting', message: reason ?? 'waits for a node' })
        case 'backoff':
          return make({ ...base, type: 'not-ready', message: `${reason ?? 'it ended'}, and is started again` })
        case 'failed':
          return make({ ...base, type: 'failed', message: reason ?? 'it failed' })
        case 'done':
          return make({ ...base, type: 'done', message: 'done' })
        case 'starting':
        case 'stopping':
        case 'stopped':
          return undefined
      }
    },
    done: (name: string) => make({ type: 'done', process: name, instance: name, message: 'done' }),
    make: (type, name, instance, message) => make({ type, process: name, instance, message }),
    skipped: (name: string, message: string) => make({ type: 'skipped', process: name, instance: name, message }),
  }
}
