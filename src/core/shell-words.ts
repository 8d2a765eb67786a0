/**
 * Splits a command line into words as a POSIX shell does, without expanding anything: quotes and backslashes only.
 *
 * Returns undefined where a quote is not closed.
 */
export function splitWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let rest = text
  while (rest !== '') {
    const match = /^(?:(\s+)|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+))/.exec(rest)
    if (!match) return undefined
    const [all, space, single, double, escaped, plain] = match
    rest = rest.slice(all.length)
    if (space !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`\n])/g, '$1') ?? escaped ?? plain ?? '')
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

/** A word as a POSIX shell reads it back, unquoted where that is safe. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
