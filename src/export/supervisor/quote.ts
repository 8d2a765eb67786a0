/** Supervisor's own quoting: Python's ini files, then expansions, then words as a shell has them. */

/** A value without quotes. Python's `%` expands it. */
export const value = (text: string): string => text.replaceAll('%', '%%')

/** Whether a line has a break, of whichever system. */
export const hasBreak = (text: string): boolean => /[\n\r]/.test(text)

/** A value without quotes: its edges are dropped, and after a space `;` and `#` begin a comment. */
export const fitsValue = (text: string): boolean => !hasBreak(text) && text.trim() === text && !/(^|\s)[;#]/.test(text)

/** A command line. An empty pair of quotes keeps a `;` or `#` from following a space. */
export const quoteCommand = (words: readonly string[]): string => words.map(quoteWord).join(' ')

function quoteWord(word: string): string {
  if (/^[\w@+=:,./-]+$/.test(word)) return word
  return value(`'${word.replaceAll("'", `'\\''`).replace(/(\s)(?=[;#])/g, "$1''")}'`)
}

/** Whether `environment=` can hold a value: its quotes know no escapes, and are dropped at both ends. */
export const fitsEnvironment = (text: string): boolean => !/"|^'|'$|\s[;#]|\p{Cc}/u.test(text)

export const quoteVariable = (name: string, text: string): string => `${name}="${value(text)}"`
