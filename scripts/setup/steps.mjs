/**
 * What a person sees: one calm line per step, and one paragraph when something is missing.
 *
 * Written with `writeSync` because touching `process.stdout` would make a pipe non-blocking, and
 * the server that later takes this process's place would inherit that.
 */
import { writeSync } from 'node:fs'

/** Something that the person at the keyboard can put right. */
export class SetupError extends Error {
  /**
   * @param {string} message what is wrong
   * @param {string} [hint] what to do about it; may have several lines
   */
  constructor(message, hint) {
    super(message)
    this.name = 'SetupError'
    this.hint = hint
  }
}

/** Ctrl-C or a polite kill while a command ran: clean up, say nothing more. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`interrupted by ${signal}`)
    this.name = 'Interrupted'
    this.signal = signal
  }
}

/** @param {string} text */
export function say(text) {
  write(1, `• ${text}\n`)
}

/** @param {string} text something left out, which must not be overlooked */
export function warn(text) {
  write(1, `! ${text}\n`)
}

/**
 * Prints `• title…`, does it, and adds the time it took.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} act must print nothing itself
 * @returns {Promise<T>}
 */
export async function step(title, act) {
  write(1, `• ${title}…`)
  const startedAt = performance.now()
  try {
    const result = await act()
    write(1, `  ${((performance.now() - startedAt) / 1000).toFixed(1)}s\n`)
    return result
  } catch (error) {
    write(1, error instanceof Interrupted ? '\n' : '  failed\n')
    throw error
  }
}

/**
 * Runs a script and turns what it throws into words and an exit code.
 * @param {() => Promise<number | void>} act returns the exit code; nothing means 0
 */
export async function main(act) {
  try {
    process.exitCode = (await act()) ?? 0
  } catch (error) {
    // Dying by the signal itself is what tells a shell or a CI job to stop as well.
    if (error instanceof Interrupted) process.kill(process.pid, error.signal)
    if (!(error instanceof SetupError)) throw error
    write(2, `\n✗ ${error.message}\n`)
    if (error.hint) write(2, `${error.hint.replace(/^(?=.)/gm, '  ')}\n`)
    process.exitCode = 1
  }
}

/**
 * @param {1 | 2} descriptor
 * @param {string} text
 */
function write(descriptor, text) {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      // A full pipe whose other owner made it non-blocking: the reader is slow, not gone.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') throw error
    }
  }
}
