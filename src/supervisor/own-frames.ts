/** A frame of a Python traceback. The lines that show its code are indented deeper. */
const FRAME = /^\s*File "([^"]+)", line \d+/
const CODE = /^\s{4,}\S/
/** Of Python itself, of what was installed, and of ours. */
const FOREIGN = /^<frozen |[/\\](site|dist)-packages[/\\]|[/\\]lib(64)?[/\\]python\d|[/\\]prodserver_runner[/\\]/

const SHOWN = 20

/** The end of an output, as much as helps. */
export const lastOwnLines = (lines: readonly string[]): readonly string[] => withoutForeignFrames(lines).slice(-SHOWN)

/**
 * Output without the frames of tracebacks that are not the project's own: a mistake is seldom in them, and they push
 * the line that matters off the screen. Where no frame is the project's own, all of it stays.
 */
export function withoutForeignFrames(lines: readonly string[]): readonly string[] {
  const kept: string[] = []
  // A traceback whose beginning was cut off begins with the code of a frame that is not seen.
  let isForeign = lines.some((line) => FRAME.test(line)) && CODE.test(lines[0] ?? '')
  for (const line of lines) {
    const file = FRAME.exec(line)?.[1]
    if (file !== undefined) isForeign = FOREIGN.test(file)
    else if (!CODE.test(line)) isForeign = false
    if (!isForeign) kept.push(line)
  }
  return kept.some((line) => FRAME.test(line)) ? kept : lines
}
