import { plannedValues } from '../../plan/planned-values.ts'
import { factsOf, type InitialFacts, type InstanceState, type ProcessState } from '../process/state.ts'
import type { ProcessSpec } from '../spec.ts'
import { othersIn, phaseOf } from '../process/views.ts'
import { type SavedLife, type SavedProcess, type SavedState, STATE_VERSION } from './state-file.ts'

/** Facts that the next supervisor needs. */
interface Facts {
  readonly declared: readonly ProcessState[]
  /** Processes that run but were removed from the declaration. */
  readonly undeclared: readonly ProcessState[]
  /** Facts about names that are not declared. */
  readonly memory: ReadonlyMap<string, InitialFacts>
}

export function stateOf({ declared, undeclared, memory }: Facts, bootId: string): SavedState {
  const forgotten = new Map([...memory, ...undeclared.map((state) => [state.spec.name, factsOf(state)] as const)])
  const known = new Map([...forgotten, ...declared.map((state) => [state.spec.name, factsOf(state)] as const)])
  return {
    version: STATE_VERSION,
    bootId,
    processes: {
      ...mapValues(forgotten, savedName),
      ...Object.fromEntries(declared.map((state) => [state.spec.name, savedProcess(state)])),
    },
    lives: [...declared, ...undeclared].flatMap(savedLives),
    releases: withoutNulls(mapValues(known, ({ done }) => done)),
    releasing: withoutNulls(mapValues(known, ({ begun }) => begun)),
  }
}

/** Returns what an earlier supervisor knew, by process name. */
export function memoryOf({ processes, releases, releasing = {} }: SavedState): ReadonlyMap<string, InitialFacts> {
  const names = new Set([...Object.keys(processes), ...Object.keys(releases), ...Object.keys(releasing)])
  return new Map(
    [...names].map((name) => [
      name,
      {
        scaled: processes[name]?.scaled ?? null,
        numbers: processes[name]?.runs ?? [],
        done: releases[name] ?? null,
        begun: releasing[name] ?? null,
      },
    ]),
  )
}

const savedProcess = ({ desired, scaled, numbers }: ProcessState): SavedProcess => ({
  wanted: desired,
  scaled,
  runs: numbers,
})

const savedName = ({ numbers = [] }: InitialFacts): SavedProcess => ({ wanted: 'running', scaled: null, runs: numbers })

function savedLives({ slots }: ProcessState): readonly SavedLife[] {
  return slots.flatMap((slot) => [
    ...savedLife(slot.current, false),
    ...othersIn(slot).flatMap((other) => savedLife(other, true)),
  ])
}

/** Returns one entry, or none if the instance has no process. */
function savedLife(instance: InstanceState, beside: boolean): readonly SavedLife[] {
  const { invocation, spec, id, machine } = instance
  if (!invocation || invocation.pid === null) return []
  const { number, pid, startTicks, hash, startedMs, probeAddress } = invocation
  const is = phaseOf(instance)
  return [
    {
      instance: id,
      process: spec.name,
      run: number,
      pid,
      startTicks,
      hash,
      startedMs,
      ready: is === 'running',
      restarts: machine.restarts,
      // A failed instance with an invocation left survivors: the next supervisor continues to stop them.
      stopping: is === 'stopping' || is === 'failed',
      beside,
      probeAddress,
      stop: spec.stop,
    },
  ]
}

const mapValues = <From, To>(map: ReadonlyMap<string, From>, change: (value: From) => To): Record<string, To> =>
  Object.fromEntries([...map].map(([name, value]) => [name, change(value)]))

const withoutNulls = (values: Readonly<Record<string, string | null | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value == null ? [] : [[name, value]])))

/** Values of a process that nothing starts. */
const STOPPED = plannedValues(
  { backend: '', instances: 0, enabled: false },
  { backend: {}, reference: '', cwd: '/', processors: 1 },
)

/** Returns what the supervisor needs to stop a process that was removed from the declaration: its saved stop policy. */
export const undeclaredSpec = ({ process: name, hash, stop }: SavedLife): ProcessSpec => ({
  ...STOPPED,
  name,
  kind: 'worker',
  title: name,
  argv: [],
  env: {},
  listen: [],
  inherited: null,
  alone: null,
  stop,
  hash,
})
