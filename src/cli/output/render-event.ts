import { printElapsed } from '../../core/durations.ts'
import type { EventType, Exit, ProcessEvent } from '../../control/protocol.ts'
import { padEnd, type Paint, type Style } from './print.ts'
import { renderClock } from './render-time.ts'

const STYLES: Readonly<Partial<Record<EventType, Style>>> = {
  ready: 'green',
  done: 'green',
  reloaded: 'green',
  exited: 'yellow',
  backoff: 'yellow',
  'not-ready': 'yellow',
  killed: 'yellow',
  'left-behind': 'red',
  failed: 'red',
  'reload-refused': 'red',
  'log-lost': 'red',
}

interface EventLook {
  readonly paint: Paint
  readonly utc: boolean
  /** How wide the longest name is. */
  readonly nameWidth: number
}

const TYPE_WIDTH = 'reload-refused'.length

/** One line, and its evidence below it. */
export function renderEvent(event: ProcessEvent, { paint, utc, nameWidth }: EventLook): string {
  const { time, type, message, details } = event
  const style = STYLES[type]
  const word = padEnd(type, TYPE_WIDTH)
  const clock = renderClock(Date.parse(time), utc)
  const name = padEnd(subject(event), nameWidth)
  const line = `${paint('dim', clock)}  ${name}  ${style ? paint(style, word) : word}  ${message}`.trimEnd()
  const indent = ' '.repeat(clock.length + 2 + nameWidth + 2)
  const evidence = (details?.split('\n') ?? []).filter(Boolean).map((text) => `\n${indent}${paint('dim', text)}`)
  return `${line}${evidence.join('')}\n`
}

/** Whom it is about: `prodserver` itself, where it is no process. */
export const subject = ({ instance, process }: ProcessEvent): string => instance ?? process ?? 'prodserver'

/** What stands between log lines: the ends of lives, and what was done about them. */
const IN_LOGS: ReadonlySet<EventType> = new Set([
  'exited',
  'backoff',
  'failed',
  'killed',
  'left-behind',
  'reloaded',
  'reload-refused',
  'log-lost',
  'adopted',
])

export const isInLogs = ({ type }: ProcessEvent): boolean => IN_LOGS.has(type)

/** `-- worker.2 exited 1 after 8s --`. */
export function renderEventInLog(event: ProcessEvent, paint: Paint): string {
  const text = `-- ${subject(event)} ${describe(event)} --`
  return `${paint(STYLES[event.type] === 'red' ? 'red' : 'dim', text)}\n`
}

function describe({ type, exit, ms, message }: ProcessEvent): string {
  const words = message.replace(/\.$/, '')
  if (type !== 'exited' || !exit) return words
  // Whether a signal was asked for, only the message knows.
  if (exit.signal !== null && message.includes(exit.signal)) return words
  return ms === undefined ? ending(exit) : `${ending(exit)} after ${printElapsed(ms)}`
}

function ending({ code, signal }: Exit): string {
  if (signal !== null) return `was killed by ${signal}`
  return code === null ? 'ended, and nobody saw how' : `exited ${code}`
}
