import { createBufferedWriter } from '../../../logs/buffered-writer.ts'
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

interface TerminalListener {
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

/** Takes over the terminal of this process. */
export const openTerminal = (listener: TerminalListener): Terminal => new ProcessTerminal(listener)

class ProcessTerminal implements Terminal {
  readonly #listener: TerminalListener
  readonly #writer = createBufferedWriter(1)
  #shown: readonly string[] = []
  #isTaken = false

  constructor(listener: TerminalListener) {
    this.#listener = listener
    const { stdin, stdout } = process
    stdin.setEncoding('utf8').on('data', this.#onData).resume()
    // The terminal was closed.
    stdin.on('end', this.#onHangUp).on('error', this.#onHangUp)
    stdout.on('resize', this.#onResize)
    process.on('SIGCONT', this.#onContinue)
    // The message of an error must be seen on the shell's own screen.
    process.on('exit', this.#giveBack)
    process.on('uncaughtExceptionMonitor', this.#giveBack)
    for (const signal of SIGNALS) process.on(signal, listener.onSignal)
    this.#take()
  }

  size(): Screen {
    const { columns, rows } = process.stdout
    return { columns: columns || 80, rows: rows || 24 }
  }

  draw(lines: readonly string[]): void {
    if (!this.#isTaken) return
    const before = this.#shown
    const isSame = lines.length === before.length
    const changed = lines.map((line, row) => (isSame && line === before[row] ? '' : `\x1b[${row + 1};1H\x1b[2K${line}`))
    this.#shown = lines
    this.#writer.write(`${BEGIN}${isSame ? '' : '\x1b[2J'}${changed.join('')}${END}`)
    if (!this.#writer.flush()) this.#listener.onSignal('SIGHUP')
  }

  forget(): void {
    this.#shown = []
  }

  suspend(): void {
    this.#giveBack()
    process.kill(process.pid, 'SIGTSTP')
  }

  close(): void {
    this.#giveBack()
    const { stdin, stdout } = process
    stdin.off('data', this.#onData).off('end', this.#onHangUp).off('error', this.#onHangUp).pause()
    stdin.unref()
    stdout.off('resize', this.#onResize)
    process.off('SIGCONT', this.#onContinue)
    process.off('exit', this.#giveBack)
    process.off('uncaughtExceptionMonitor', this.#giveBack)
    for (const signal of SIGNALS) process.off(signal, this.#listener.onSignal)
  }

  #take(): void {
    this.#isTaken = true
    process.stdin.setRawMode(true)
    this.#shown = []
    this.#writer.write(ENTER)
    this.#writer.flush()
  }

  readonly #giveBack = (): void => {
    if (!this.#isTaken) return
    this.#isTaken = false
    this.#writer.write(LEAVE)
    this.#writer.flush()
    try {
      process.stdin.setRawMode(false)
    } catch {
      // The terminal is gone.
    }
  }

  readonly #onData = (text: string): void => parseKeys(text).forEach((key) => this.#listener.onKey(key))

  readonly #onHangUp = (): void => this.#listener.onSignal('SIGHUP')

  readonly #onResize = (): void => {
    this.#shown = []
    this.#listener.onResize()
  }

  readonly #onContinue = (): void => {
    this.#take()
    this.#onResize()
  }
}
