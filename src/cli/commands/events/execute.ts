import { existsSync } from 'node:fs'
import type { ProcessEvent } from '../../../control/protocol.ts'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import { createFilter, type Selectable } from '../../../core/selectors.ts'
import { createEventReader, followEvents } from '../../../logs/event-log.ts'
import { processOf } from '../../../logs/log-files.ts'
import { createBufferedWriter } from '../../../logs/buffered-writer.ts'
import type { ContextOf } from '../../command.ts'
import { locateState } from '../../locate-state.ts'
import { renderEvent, subject } from '../../output/render-event.ts'
import { nameWidthOf } from '../../output/render-log.ts'
import { selectRunning } from '../../select-running.ts'
import type { FLAGS } from './flags.ts'

type Context = ContextOf<typeof FLAGS>

/** Prints what happened to the processes. It reads the file of events, so no supervisor need run. */
export async function execute(context: Context): Promise<number> {
  const { options, paint } = context
  const stateDir = locateState(context)
  const reader = createEventReader(stateDir)
  const past = reader.read()
  if (past.length === 0 && !(options.follow && existsSync(stateDir))) throw noEvents(stateDir)
  const wants = createEventFilter(context, past)
  const look = { paint, utc: options.utc, nameWidth: nameWidthOf(past.map(subject)) }
  const render = (event: ProcessEvent): string =>
    options.json ? `${JSON.stringify(event)}\n` : renderEvent(event, look)
  const writer = createBufferedWriter(1)
  for (const event of lastOf(past.filter(wants), options)) writer.write(render(event))
  if (!writer.flush() || !options.follow) return EXIT.done
  for await (const events of followEvents(stateDir, reader, new AbortController().signal)) {
    for (const event of events.filter(wants)) writer.write(render(event))
    if (!writer.flush()) break
  }
  return EXIT.done
}

const DEFAULT_LAST = 100

/** The events that the options ask for. With a start time all of them, unless a number is given. */
function lastOf(
  events: readonly ProcessEvent[],
  { since, lines }: Pick<Context['options'], 'since' | 'lines'>,
): readonly ProcessEvent[] {
  const recent = since === undefined ? events : events.filter(({ time }) => Date.parse(time) >= since)
  const count = lines ?? (since === undefined ? DEFAULT_LAST : 'all')
  return count === 'all' ? recent : recent.slice(Math.max(0, recent.length - count))
}

function noEvents(stateDir: string): ProdserverError {
  const message = 'There are no events: nothing has been started here.'
  const hint = 'Start with: prodserver up -d'
  return new ProdserverError([{ id: 'E601', place: stateDir, message, hint }], EXIT.notRunning)
}

/** Makes a filter for events. While following, a name without events yet may still get some. */
function createEventFilter(
  { options, operands }: Context,
  past: readonly ProcessEvent[],
): (event: ProcessEvent) => boolean {
  if (operands.length === 0) return () => true
  if (!options.follow) selectRunning(operands, selectableEvents(past))
  const isSelected = createFilter(operands)
  return ({ process, instance }) => {
    const name = instance ?? process
    return name !== null && isSelected({ process: process ?? processOf(name), instance: name })
  }
}

/** The processes and instances that events are about. */
function selectableEvents(events: readonly ProcessEvent[]): readonly Selectable[] {
  const groups = Map.groupBy(events, ({ process }) => process)
  return [...groups].flatMap(([process, group]) => {
    if (process === null) return []
    return [{ process, instances: [...new Set(group.flatMap(({ instance }) => instance ?? []))] }]
  })
}
