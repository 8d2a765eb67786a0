import type { ActionRequest, Snapshot } from '../../../control/protocol.ts'
import type { LogLine } from '../../../logs/lines.ts'
import type { Key } from './keys.ts'
import { type PsRow, psRows } from '../../output/process-table.ts'

/** All that is on the screen of `top`. */
export interface TopState {
  /** Undefined while nobody answers. */
  readonly snapshot: Snapshot | undefined
  readonly isConnected: boolean
  /** Names of instances and processes that are shown; undefined for all. */
  readonly wants: (row: PsRow) => boolean
  readonly filter: string
  readonly selected: string | undefined
  /** Where keys go. */
  readonly focus: 'table' | 'log' | 'filter'
  readonly panel: 'log' | 'why' | 'keys'
  readonly log: readonly LogLine[]
  /** What `why` said, in lines. */
  readonly why: readonly string[]
  /** How many lines the log is scrolled back. */
  readonly back: number
  /** An act that waits for a yes. */
  readonly asks: Act | undefined
  /** What came of the last one. */
  readonly message: string
}

export interface Act {
  readonly request: ActionRequest
  /** As one would type it. */
  readonly command: string
  readonly warning: string
}

/** What a key leads to, beside another screen. */
export type Effect =
  | { readonly kind: 'quit' | 'suspend' | 'redraw' }
  | { readonly kind: 'act'; readonly act: Act }
  | { readonly kind: 'ask-why'; readonly instance: string }

interface Step {
  readonly state: TopState
  readonly effect?: Effect | undefined
}

export const createTopState = (wants: TopState['wants']): TopState => ({
  snapshot: undefined,
  isConnected: true,
  wants,
  filter: '',
  selected: undefined,
  focus: 'table',
  panel: 'log',
  log: [],
  why: [],
  back: 0,
  asks: undefined,
  message: '',
})

/** The rows that are shown. */
export function visibleRows({ snapshot, wants, filter }: TopState): readonly PsRow[] {
  if (!snapshot) return []
  return psRows(snapshot).filter((row) => wants(row) && row.status.instance.includes(filter))
}

/** The selected row: the first, where the one that was selected is not shown. */
export function selectedRow(state: TopState): PsRow | undefined {
  const rows = visibleRows(state)
  return rows.find(({ status }) => status.instance === state.selected) ?? rows[0]
}

export const withSnapshot = (state: TopState, snapshot: Snapshot): TopState => ({
  ...state,
  snapshot,
  isConnected: true,
})

const KEPT_LINES = 2000

/** New lines; a log that is scrolled back stays where it is. */
export function withLines(state: TopState, lines: readonly LogLine[]): TopState {
  const log = [...state.log, ...lines].slice(-KEPT_LINES)
  const back = state.back === 0 ? 0 : Math.min(state.back + lines.length, log.length)
  return { ...state, log, back }
}

/** What a key does. */
export function press(state: TopState, key: Key, pageSize: number): Step {
  if (key === 'ctrl-c') return { state, effect: { kind: 'quit' } }
  if (key === 'ctrl-z') return { state, effect: { kind: 'suspend' } }
  if (key === 'ctrl-l') return { state, effect: { kind: 'redraw' } }
  if (state.asks) return answer(state, state.asks, key)
  if (state.focus === 'filter') return { state: typeFilter(state, key) }
  return { ...command({ ...state, message: '' }, key, pageSize) }
}

/** Whatever is not a yes is a no. */
function answer(state: TopState, act: Act, key: Key): Step {
  const asked = { ...state, asks: undefined }
  return key === 'y' || key === 'Y'
    ? { state: { ...asked, message: `${act.command} …` }, effect: { kind: 'act', act } }
    : { state: { ...asked, message: 'Nothing was done.' } }
}

function typeFilter(state: TopState, key: Key): TopState {
  if (key === 'enter') return { ...state, focus: 'table' }
  if (key === 'escape') return { ...state, focus: 'table', filter: '' }
  if (key === 'backspace') return { ...state, filter: Array.from(state.filter).slice(0, -1).join('') }
  if (key === 'ctrl-u') return { ...state, filter: '' }
  return Array.from(key).length === 1 ? { ...state, filter: state.filter + key } : state
}

function command(state: TopState, key: Key, pageSize: number): Step {
  const row = selectedRow(state)
  const instance = row?.status.instance
  switch (key) {
    case 'q':
      return { state, effect: { kind: 'quit' } }
    case '?':
      return { state: { ...state, panel: state.panel === 'keys' ? 'log' : 'keys' } }
    case '/':
      return { state: { ...state, focus: 'filter' } }
    case 'enter':
    case 'l':
      return { state: { ...state, panel: 'log', focus: state.focus === 'log' ? 'table' : 'log', back: 0 } }
    case 'escape':
      return { state: { ...state, panel: 'log', focus: 'table', back: 0 } }
    case 'w':
      if (!instance) return { state }
      return { state: { ...state, panel: 'why', focus: 'table', why: [] }, effect: { kind: 'ask-why', instance } }
    case 'r':
      return { state: row ? { ...state, asks: reloadOf(row) } : state }
    case 's':
      return { state: row ? { ...state, asks: stopOf(row) } : state }
    case 'S':
      return row ? { state, effect: { kind: 'act', act: startOf(row) } } : { state }
    default: {
      const by = movement(key, pageSize)
      if (by === undefined) return { state }
      return { state: state.focus === 'log' ? scroll(state, by) : moveSelection(state, by) }
    }
  }
}

function reloadOf({ owner: { process, reload } }: PsRow): Act {
  return {
    request: { verb: 'reload', targets: [process] },
    command: `prodserver reload ${process}`,
    warning: reload,
  }
}

function stopOf({ status: { instance } }: PsRow): Act {
  return {
    request: { verb: 'stop', targets: [instance] },
    command: `prodserver stop ${instance}`,
    warning: 'it stays stopped',
  }
}

function startOf({ status: { instance } }: PsRow): Act {
  return { request: { verb: 'start', targets: [instance] }, command: `prodserver start ${instance}`, warning: '' }
}

function movement(key: Key, pageSize: number): number | undefined {
  switch (key) {
    case 'up':
    case 'k':
      return -1
    case 'down':
    case 'j':
      return 1
    case 'page-up':
      return -pageSize
    case 'page-down':
      return pageSize
    case 'home':
    case 'g':
      return Number.NEGATIVE_INFINITY
    case 'end':
    case 'G':
      return Number.POSITIVE_INFINITY
    default:
      return undefined
  }
}

const scroll = (state: TopState, by: number): TopState => ({
  ...state,
  back: Math.max(0, Math.min(state.log.length - 1, state.back - by)),
})

function moveSelection(state: TopState, by: number): TopState {
  const rows = visibleRows(state)
  const at = rows.findIndex(({ status }) => status.instance === selectedRow(state)?.status.instance)
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))]
  return { ...state, selected: next?.status.instance, panel: 'log', back: 0 }
}
