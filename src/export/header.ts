/** The first line of each exported file. An export changes or removes only files with such a line. */

export interface Header {
  readonly target: string
  readonly name: string
}

const HEADER = /^# Written by `prodserver export (\S+)` for (.+); change the declaration and run it again\.\n/

export const headerLine = ({ target, name }: Header): string =>
  `# Written by \`prodserver export ${target}\` for ${name}; change the declaration and run it again.\n`

/** Reads the header of a file; undefined if no export has written the file. */
export function readHeader(text: string): Header | undefined {
  const [, target, name] = HEADER.exec(text) ?? []
  return target === undefined || name === undefined ? undefined : { target, name }
}
