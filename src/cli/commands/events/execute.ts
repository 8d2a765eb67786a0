import { existsSync } from 'node:fs'
import type { ProcessEvent } from '../../../control/protocol.ts'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import { createEventReader, followEvents } from '../../../logs/event-log.ts'
import { processOf } from '../../../logs/log-files.ts'
import { createSink } from '../../../logs/sink.ts'
import type { CommandContext } from '../index.ts'
import { locateState } from '../../locate-state.ts'
import { parseLines, parseTime } from '../../option-values.ts'
import { single } from '../../read-project.ts'
import { type EventLook, renderEvent, subject } from '../../output/render-event.ts'
import { nameWidthOf } from '../../output/render-log.ts'
import { createFilter, type Selectable } from '../../../core/selectors.ts'
import { selectRunning } from '../../select.ts'

const DEFAULT_LAST = 100

/** What happened to the processes, and with `--follow` what happens. Read from the file: no supervisor need run. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, paint } = context
  const stateDir = locateState(context)
  const reader = createEventReader(stateDir)
  const past = reader.read()
  const follows = options.values['follow'] !== undefined
  if (past.length === 0 && !(follows && existsSync(stateDir))) {
    const hint = 'Start with: prodserver up -d'
    throw new ProdserverError(
      [{ id: 'E601', place: stateDir, message: 'There are no events: nothing has been started here.', hint }],
      EXIT.notRunning,
    )
  }
  const wants = createEventFilter(context, past)
  const since = single(context, 'since')
  const sinceMs = since === undefined ? undefined : parseTime(since, 'since', Date.now())
  const count = parseLines(single(context, 'lines'), sinceMs === undefined ? DEFAULT_LAST : undefined)
  const wanted = past.filter((event) => wants(event) && (sinceMs === undefined || Date.parse(event.time) >= sinceMs))
  const shown = count === undefined ? wanted : wanted.slice(Math.max(0, wanted.length - count))
  const look: EventLook = { paint, utc: options.values['utc'] !== undefined, nameWidth: nameWidthOf(past.map(subject)) }
  const render = (event: ProcessEvent): string =>
    options.values['json'] ? `${JSON.stringify(event)}\n` : renderEvent(event, look)
  const sink = createSink(1)
  for (const event of shown) sink.write(render(event))
  if (!sink.flush() || !follows) return EXIT.done
  for await (const events of followEvents(stateDir, reader, new AbortController().signal)) {
    for (const event of events.filter(wants)) sink.write(render(event))
    if (!sink.flush()) break
  }
  return EXIT.done
}

/** Makes a filter for events. While following, a name without events yet may still get some. */
function createEventFilter(
  { options }: CommandContext,
  past: readonly ProcessEvent[],
): (event: ProcessEvent) => boolean {
  const selectors = options.positionals
  if (selectors.length === 0) return () => true
  if (!options.values['follow']) selectRunning(selectors, selectableEvents(past))
  const isSelected = createFilter(selectors)
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
