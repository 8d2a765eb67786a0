/** Returns the first line of a text. */
export const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

/** Returns the end of a program's output for the details of a problem; undefined if there is no output. */
export const lastLines = (output: string): string | undefined =>
  output.trimEnd().split('\n').slice(-12).join('\n') || undefined
