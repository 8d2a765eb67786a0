/** A key by its name (`up`, `enter`, `ctrl-c`), or the character that it types. */
export type Key = string

const SEQUENCES: Readonly<Record<string, Key>> = {
  '\x1b[A': 'up',
  '\x1bOA': 'up',
  '\x1b[B': 'down',
  '\x1bOB': 'down',
  '\x1b[5~': 'page-up',
  '\x1b[6~': 'page-down',
  '\x1b[H': 'home',
  '\x1bOH': 'home',
  '\x1b[1~': 'home',
  '\x1b[F': 'end',
  '\x1bOF': 'end',
  '\x1b[4~': 'end',
  '\r': 'enter',
  '\n': 'enter',
  '\x1b': 'escape',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x0c': 'ctrl-l',
  '\x15': 'ctrl-u',
  '\x1a': 'ctrl-z',
}

/** The keys that a terminal sent at once; those that have no name here are left out. */
export function parseKeys(text: string): readonly Key[] {
  // oxlint-disable-next-line no-control-regex -- keys that type nothing are sent as control characters
  const parts = text.match(/\x1b\[[\d;]*[ -/]*[@-~]|\x1bO.|[\s\S]/gu) ?? []
  // oxlint-disable-next-line no-control-regex
  return parts.flatMap((part) => SEQUENCES[part] ?? (/^[^\x00-\x1f\x7f]$/u.test(part) ? part : []))
}
