/** systemd's own quoting. Three things are special in turn: the line, its words, and in a command its variables. */

/** Text of a setting that takes the whole line, such as a path or a description. */
export const wholeLine = (text: string): string => text.replaceAll('%', '%%')

/** Whether a line can end with this text: at its edges, spaces are dropped and a backslash goes on to the next line. */
export const fitsLine = (text: string): boolean => !/^\s|[\s\\]$|\p{Cc}/u.test(text)

/** One word of a list, such as an assignment of `Environment=`. Both kinds of quotes read escapes alike. */
export function quoteItem(word: string): string {
  const text = wholeLine(word)
  if (/^[\w@%+=:,./~-]+$/.test(text)) return text
  const quote = text.includes('"') && !text.includes("'") ? "'" : '"'
  return `${quote}${text.replace(quote === '"' ? /["\\\p{Cc}]/gu : /[\\\p{Cc}]/gu, escape)}${quote}`
}

/** One word of a command line, in which `$` begins a variable. */
const quoteArgument = (word: string): string => quoteItem(word.replaceAll('$', '$$$$'))

/** A whole command line. Its first word is a path, in which no variable is looked for. */
export const quoteCommand = ([program = '', ...args]: readonly string[]): string =>
  [quoteItem(program), ...args.map(quoteArgument)].join(' ')

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' }

function escape(character: string): string {
  const code = character.charCodeAt(0)
  return SHORT[character] ?? (code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : character)
}
