import { printElapsed } from '../../../core/durations.ts'
import { plural } from '../../../core/plural.ts'
import { displayWidth, type Paint, padEnd, type Style, truncate } from '../../output/print.ts'
import { nameStyle, printable } from '../../output/render-log.ts'
import { isAllReady, layOut, psCells, STATE_STYLES } from '../../output/process-table.ts'
import { renderClock } from '../../output/render-time.ts'
import { selectedRow, type TopState, visibleRows } from './state.ts'

export interface Screen {
  readonly columns: number
  readonly rows: number
}

/** The screen as so many lines, none wider than it is. */
export function renderTop(state: TopState, screen: Screen, nowMs: number, paint: Paint): readonly string[] {
  const { columns, rows } = screen
  const tableRows = tableHeight(state, screen)
  const table = renderRows(state, tableRows, columns, nowMs, paint)
  const used = 2 + table.length
  const panelRows = Math.max(0, rows - used - 1)
  const lines = [title(state, columns, nowMs, paint), ...table]
  if (panelRows > 0) lines.push(panelTitle(state, columns, paint), ...panel(state, panelRows, columns, paint))
  lines.length = Math.min(lines.length, Math.max(0, rows - 1))
  const blank = Array.from({ length: Math.max(0, rows - 1 - lines.length) }, () => '')
  return [...lines, ...blank, foot(state, columns, paint)]
}

/** How many lines a page has, of what the keys move in. */
export function pageSize(state: TopState, screen: Screen): number {
  const table = tableHeight(state, screen)
  return Math.max(1, state.focus === 'log' ? screen.rows - table - 5 : table - 1)
}

/** The table has what it needs, but the log keeps at least half. */
function tableHeight(state: TopState, { rows }: Screen): number {
  const half = Math.max(1, Math.floor((rows - 4) / 2))
  return Math.min(visibleRows(state).length, rows < 8 ? Math.max(1, rows - 3) : half)
}

function title({ snapshot, isConnected }: TopState, columns: number, nowMs: number, paint: Paint): string {
  const name = 'prodserver'
  const room = columns - name.length - 2
  const write = (style: Style, text: string): string =>
    room > 0 ? `${paint('bold', name)}  ${paint(style, truncate(text, room))}` : truncate(name, columns)
  if (!snapshot || !isConnected) return write('red', 'disconnected: the supervisor does not answer')
  const instances = snapshot.processes.flatMap(({ instances }) => instances)
  const ready = instances.filter(({ state }) => state === 'running').length
  const { settings, startedAt } = snapshot.supervisor
  const lasted = printElapsed(nowMs - Date.parse(startedAt))
  const text = `${ready} of ${plural(instances.length, 'instance')} running  ${settings}  up ${lasted}`
  return write(isAllReady(snapshot) ? 'green' : 'yellow', text)
}

function renderRows(state: TopState, height: number, columns: number, nowMs: number, paint: Paint): readonly string[] {
  const rows = visibleRows(state)
  const index = rows.findIndex(({ status }) => status.instance === selectedRow(state)?.status.instance)
  const first = Math.max(0, Math.min(rows.length - height, index - Math.floor(height / 2)))
  const [header = [], ...cells] = layOut(psCells(rows, nowMs), columns - 2)
  const lines = cells.slice(first, first + height).map((row, offset) => {
    const { status } = rows[first + offset] as (typeof rows)[number]
    const isSelected = first + offset === index
    // Not by colour alone: there may be none.
    const text = truncate(padEnd(`${isSelected ? '>' : ' '} ${row.join('  ')}`, columns), columns)
    if (isSelected) return paint('reverse', text)
    return row.length > 1
      ? text.replace(` ${status.state} `, ` ${paint(STATE_STYLES[status.state], status.state)} `)
      : text
  })
  return [paint('bold', truncate(`  ${header.join('  ')}`.trimEnd(), columns)), ...lines]
}

function panelTitle(state: TopState, columns: number, paint: Paint): string {
  const instance = selectedRow(state)?.status.instance
  const name = state.panel === 'keys' ? 'keys' : `${instance ?? '-'} ${state.panel}`
  const back = state.panel === 'log' && state.back > 0 ? `, ${state.back} lines back` : ''
  const text = truncate(`── ${name}${back} `, columns)
  const rule = text + '─'.repeat(Math.max(0, columns - displayWidth(text)))
  return state.focus === 'log' ? paint('bold', rule) : paint(instance ? nameStyle(instance) : 'dim', rule)
}

const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ['↑ ↓  j k', 'select; in the log, scroll'],
  ['enter  l', 'into the log, and out of it'],
  ['r', 'reload the process'],
  ['s', 'stop the instance'],
  ['S', 'start it'],
  ['w', 'why it is in its state'],
  ['/', 'show only names with a text in them; esc shows all'],
  ['q', 'leave; what runs goes on'],
]

function panel(state: TopState, height: number, columns: number, paint: Paint): readonly string[] {
  const { panel: kind, log, back, why } = state
  if (kind === 'keys') return KEYS.map(([keys, meaning]) => truncate(`  ${keys.padEnd(9)} ${meaning}`, columns))
  if (kind === 'why') return why.slice(0, height).map((line) => truncate(printable(line, false), columns))
  if (log.length === 0) return [paint('dim', truncate('  It has printed nothing yet.', columns))]
  const end = Math.max(Math.min(height, log.length), log.length - back)
  return log.slice(Math.max(0, end - height), end).map(({ timeMs, line }) => {
    // Of a line of megabytes, what can be seen.
    const text = printable(line.subarray(0, 4 * columns + 4).toString(), false).replaceAll('\t', '  ')
    const clock = renderClock(timeMs, false).slice(0, 8)
    return columns < 40 ? truncate(text, columns) : `${paint('dim', clock)} ${truncate(text, columns - 9)}`
  })
}

const LOG_FEET = ['↑↓ scroll  pgup pgdn  end newest  esc back  ? keys  q quit', '↑↓ scroll  esc back  q quit', 'esc q']
const TABLE_FEET = [
  '↑↓ select  enter log  r reload  s stop  S start  w why  / filter  ? keys  q quit',
  'enter log  r reload  s stop  w why  / filter  ? keys  q quit',
  'r reload  s stop  w why  ? keys  q quit',
  '? keys  q quit',
  'q',
]

function foot(state: TopState, columns: number, paint: Paint): string {
  const { asks, focus, filter, message } = state
  if (asks) {
    const question = `${asks.command}${asks.warning ? ` (${asks.warning})` : ''}? y/N`
    return paint('bold', displayWidth(question) <= columns ? question : truncate(`${asks.command}? y/N`, columns))
  }
  if (focus === 'filter') return truncate(`/${filter}█  enter keeps it, esc shows all`, columns)
  if (message) return truncate(printable(message.replaceAll('\n', ' '), false), columns)
  const shown = filter === '' ? '' : `[/${filter}]  `
  const fits = (focus === 'log' ? LOG_FEET : TABLE_FEET).find((text) => displayWidth(shown + text) <= columns) ?? ''
  return paint('dim', truncate(shown + fits, columns))
}
