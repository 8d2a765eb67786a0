import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { BIN, cleanEnv, PYTHON, ROOT } from './environment.ts'
import { waitUntil } from './running.ts'

/** `prodserver` in a terminal, and what can be seen there. */
export interface Terminal {
  readonly screen: () => string
  /** Waits until the screen matches; fails with the screen. */
  readonly shows: (pattern: RegExp) => Promise<string>
  readonly press: (keys: string) => void
  readonly resize: (rows: number, columns: number) => void
  readonly signal: (number: number) => void
  /** As closing its window does. */
  readonly close: () => void
  /** All that was written, escape sequences included. */
  readonly written: () => string
  /** How it ended, and whether the terminal is as a shell needs it. */
  readonly ended: () => Promise<{ readonly code: number; readonly isRestored: boolean }>
}

interface TerminalOptions {
  readonly env: Readonly<Record<string, string>>
  readonly rows?: number
  readonly columns?: number
  /** Instead of the built program. */
  readonly program?: readonly string[]
}

export function openTerminal(
  t: TestContext,
  args: readonly string[],
  { env, rows = 24, columns = 80, program = [process.execPath, BIN] }: TerminalOptions,
): Terminal {
  const command = [join(ROOT, 'test', 'support', 'in-terminal.py'), String(rows), String(columns), ...program, ...args]
  const child = spawn(PYTHON, command, { env: cleanEnv({ TERM: 'xterm-256color', ...env }) })
  t.after(() => child.kill('SIGKILL'))
  let [written, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`)
  const screen = (): string => drawScreen(written)
  return {
    screen,
    written: () => written,
    press: (keys) => send({ keys }),
    resize: (newRows, newColumns) => send({ size: [newRows, newColumns] }),
    signal: (number) => send({ signal: number }),
    close: () => void child.kill('SIGKILL'),
    shows: (pattern) =>
      waitUntil(
        () => (pattern.test(screen()) ? screen() : undefined),
        20_000,
        () => `The screen does not show ${pattern}:\n${screen()}\n${errors}`,
      ),
    ended: async () => {
      const pattern = /ENDED (-?\d+) ([01])/
      const match = await waitUntil(
        () => pattern.exec(errors) ?? undefined,
        20_000,
        () => screen() + errors,
      )
      return { code: Number(match[1]), isRestored: match[2] === '1' }
    },
  }
}

/** What a terminal shows after this, of the sequences that are used here: places, clearing, and the other screen. */
function drawScreen(text: string): string {
  const screens: Record<'shell' | 'other', string[]> = { shell: [], other: [] }
  let name: 'shell' | 'other' = 'shell'
  let row = 0
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  for (const [part] of text.matchAll(/\x1b\[[\d;?]*[A-Za-z]|\r?\n|[^\x1b\r\n]+|[\s\S]/g)) {
    const lines = screens[name]
    if (part === '\x1b[?1049h') name = 'other'
    else if (part === '\x1b[?1049l') name = 'shell'
    else if (part === '\x1b[2J') screens[name] = []
    else if (part === '\x1b[2K') lines[row] = ''
    else if (part.endsWith('\n')) row++
    else if (part.endsWith('H') && part.startsWith('\x1b[')) row = Number.parseInt(part.slice(2), 10) - 1
    else if (!part.startsWith('\x1b') && part !== '\r') lines[row] = (lines[row] ?? '') + part
  }
  return Array.from(screens[name], (line) => line ?? '').join('\n')
}
