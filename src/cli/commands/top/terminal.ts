import { createSink } from '../../../logs/sink.ts'
import { type Key, parseKeys } from './keys.ts'
import type { Screen } from './render.ts'

/** The whole screen of a terminal, taken over. It is given back as it was, whatever happens. */
export interface Terminal {
  readonly size: () => Screen
  /** Shows these lines; only those that are others than before are written. */
  readonly draw: (lines: readonly string[]) => void
  /** The next drawing writes everything: something else has written to the terminal. */
  readonly forget: () => void
  /** Gives the terminal to the shell until the job is continued. */
  readonly suspend: () => void
  readonly close: () => void
}

export interface TerminalListener {
  readonly onKey: (key: Key) => void
  readonly onResize: () => void
  /** Somebody wants the program to end. */
  readonly onSignal: (signal: NodeJS.Signals) => void
}

// The alternate screen, no cursor, and no wrapping: a line that is too long after all must not move the others.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J'
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l'
/** A terminal that knows it shows a frame at once; the others pass over it. */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l']

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

export function openTerminal({ onKey, onResize, onSignal }: TerminalListener): Terminal {
  const stdin = process.stdin
  const stdout = process.stdout
  const sink = createSink(1)
  let shown: readonly string[] = []
  let isTaken = false
  const take = (): void => {
    isTaken = true
    stdin.setRawMode(true)
    shown = []
    sink.write(ENTER)
    sink.flush()
  }
  const giveBack = (): void => {
    if (!isTaken) return
    isTaken = false
    sink.write(LEAVE)
    sink.flush()
    try {
      stdin.setRawMode(false)
    } catch {
      // The terminal is gone.
    }
  }
  const onData = (text: string): void => parseKeys(text).forEach(onKey)
  const resized = (): void => {
    shown = []
    onResize()
  }
  const continued = (): void => {
    take()
    resized()
  }
  stdin.setEncoding('utf8').on('data', onData).resume()
  // The terminal was closed.
  stdin.on('end', () => onSignal('SIGHUP')).on('error', () => onSignal('SIGHUP'))
  stdout.on('resize', resized)
  process.on('SIGCONT', continued)
  // Whoever throws, and wherever: the message must be seen on the shell's own screen.
  process.on('exit', giveBack)
  process.on('uncaughtExceptionMonitor', giveBack)
  for (const signal of SIGNALS) process.on(signal, onSignal)
  take()
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    draw: (lines) => {
      if (!isTaken) return
      const isSame = lines.length === shown.length
      const changed = lines.map((line, row) =>
        isSame && line === shown[row] ? '' : `\x1b[${row + 1};1H\x1b[2K${line}`,
      )
      shown = lines
      sink.write(`${BEGIN}${isSame ? '' : '\x1b[2J'}${changed.join('')}${END}`)
      if (!sink.flush()) onSignal('SIGHUP')
    },
    forget: () => {
      shown = []
    },
    suspend: () => {
      giveBack()
      process.kill(process.pid, 'SIGTSTP')
    },
    close: () => {
      giveBack()
      stdin.off('data', onData).removeAllListeners('end').removeAllListeners('error').pause()
      stdin.unref()
      stdout.off('resize', resized)
      process.off('SIGCONT', continued)
      process.off('exit', giveBack)
      process.off('uncaughtExceptionMonitor', giveBack)
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}
