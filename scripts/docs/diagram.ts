import { INSTANCE_STATES } from '../../src/control/protocol.ts'
import { step } from '../../src/supervisor/process/machine.ts'
import {
  type Event,
  initialState,
  type Phase,
  type Policy,
  type State,
} from '../../src/supervisor/process/machine-state.ts'
import { POLICY } from '../../test/support/machine.ts'

type Edge = readonly [from: Phase['is'], to: Phase['is'], label: string]

/** Kinds of processes: what an end leads to depends on them. A limit that is reached at once shows what giving up is. */
const POLICIES: readonly Policy[] = (['always', 'on-failure', 'never'] as const).flatMap((policy) =>
  [true, false].flatMap((completes) =>
    [0, POLICY.restart.delayMs].map((delayMs) => ({
      ...POLICY,
      completes,
      restart: { ...POLICY.restart, policy, delayMs, limit: 1 },
    })),
  ),
)

const LABELS: Readonly<Record<Event['type'], string>> = {
  start: 'start',
  'dependencies-met': 'what it depends on is there',
  stop: 'stop',
  restart: 'restart',
  kill: 'stop --force',
  skip: 'it did its work before',
  spawned: 'it has a pid',
  'spawn-failed': 'it cannot be started',
  ready: 'ready',
  'probe-failed': 'not ready in time, or alive no more',
  exited: 'it ended',
  cleaned: 'nothing of it is left',
  elapsed: 'the delay is over',
}

/** The states and what leads from one to another, found by walking the machine from its beginning. */
export function renderDiagram(): string {
  const edges = walk().toSorted(
    ([from, to], [otherFrom, otherTo]) => order(from) - order(otherFrom) || order(to) - order(otherTo),
  )
  const byPair = Map.groupBy(edges, ([from, to]) => `${from} --> ${to}`)
  const lines = [...byPair].map(
    ([pair, edges]) => `    ${pair}: ${[...new Set(edges.map(([, , label]) => label))].join(' / ')}`,
  )
  return `\`\`\`mermaid
stateDiagram-v2
    [*] --> stopped
${lines.join('\n')}
\`\`\`
`
}

const order = (is: Phase['is']): number => INSTANCE_STATES.indexOf(is)

function walk(): readonly Edge[] {
  const edges: Edge[] = []
  const seen = new Set<string>()
  const queue: State[] = [initialState]
  for (let state = queue.shift(); state; state = queue.shift()) {
    for (const policy of POLICIES) {
      for (const event of eventsOf(state)) {
        const next = step(state, event, { policy, nowMs: 0, random: 0.5, nextNumber: state.number + 1 }).state
        if (next.phase.is !== state.phase.is) edges.push([state.phase.is, next.phase.is, labelOf(event, state)])
        if (seen.has(keyOf(next))) continue
        seen.add(keyOf(next))
        queue.push(next)
      }
    }
  }
  return edges
}

/** Everything that may happen to a life, ended well and badly, and to a wait. */
function eventsOf({ number, seq }: State): readonly Event[] {
  const exits = [0, 1].map((code): Event => {
    return { type: 'exited', number, exit: { code, signal: null }, reason: '', permanent: null }
  })
  const sweeps = [[], ['pid 7']].map((left): Event => ({ type: 'cleaned', number, left }))
  return [
    ...(['start', 'dependencies-met', 'stop', 'restart', 'kill', 'skip'] as const).map((type) => ({ type })),
    { type: 'spawned', number, pid: 1 },
    { type: 'spawn-failed', number, reason: '', permanent: false },
    { type: 'ready', number },
    { type: 'probe-failed', number, reason: '' },
    ...exits,
    ...sweeps,
    { type: 'elapsed', seq },
  ]
}

const labelOf = (event: Event, { phase }: State): string => {
  if (phase.is !== 'stopping' || (event.type !== 'cleaned' && event.type !== 'spawn-failed')) return LABELS[event.type]
  if ('left' in event && event.left.length > 0) return 'something of it cannot be ended'
  return phase.next.to === 'judge' ? 'it ended by itself' : LABELS.cleaned
}

const NUMBERS: ReadonlySet<string> = new Set(['pid', 'readyMs', 'untilMs', 'readyForMs', 'reason'])

/** States that nothing tells apart but numbers are one. */
const keyOf = ({ phase, wasReady, history }: State): string => {
  const shape = JSON.stringify(phase, (key, value: unknown) => (NUMBERS.has(key) && value !== null ? true : value))
  return `${shape} ${wasReady} ${history.failures > 0}`
}
