/** The first line of each file that an export has written: only what has it is ever changed or removed. */

export interface Header {
  readonly target: string
  readonly name: string
}

const HEADER = /^# Written by `prodserver export (\S+)` for (.+); change the declaration and run it again\.\n/

export const headerLine = ({ target, name }: Header): string =>
  `# Written by \`prodserver export ${target}\` for ${name}; change the declaration and run it again.\n`

/** What a file says of who wrote it; undefined where it is not one of ours. */
export function readHeader(text: string): Header | undefined {
  const [, target, name] = HEADER.exec(text) ?? []
  return target === undefined || name === undefined ? undefined : { target, name }
}
