/** A line of a Procfile: read by honcho or foreman, which differ, and then by a shell. */

/** Line breaks of every kind, at one of which one of them ends a line, and other control characters but the tab. */
const BREAKS = /(?!\t)[\p{Cc}\u{2028}\u{2029}]/gu

/** A command line for a shell, with assignments before it for what no line can hold. */
export function quoteLine(words: readonly string[]): { readonly before: string; readonly command: string } {
  const breaks = new Set(words.flatMap((word) => word.match(BREAKS) ?? []))
  // A shell drops line breaks at the end of what a command prints, so something stands after each.
  const before = [...breaks].map((character) => `${nameOf(character)}=$(printf '${octal(character)}.'); `).join('')
  return { before, command: words.map(quoteWord).join(' ') }
}

function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  const quoted = word
    .replaceAll("'", `'\\''`)
    // foreman puts the values of its variables wherever their names are, also between such quotes.
    .replaceAll('$', () => "$''")
    .replace(BREAKS, (character) => `'"\${${nameOf(character)}%.}"'`)
  return `'${quoted}'`
}

const nameOf = (character: string): string => `c${character.charCodeAt(0).toString(16)}`

const octal = (character: string): string =>
  [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')

/** Whether both read the same value from a line of an environment file. */
export const fitsEnvironment = (text: string): boolean => /^[\w@%+=:,./ -]*$/.test(text) && text.trim() === text

export const quoteVariable = (name: string, text: string): string => `${name}='${text}'\n`
