import type { Exit } from '../control/protocol.ts'

export { permanentFailure } from './process/permanent-failure.ts'

export interface ExitContext {
  /** The program as people write it. */
  readonly title: string
  /** The end of what this life wrote, without line ends. */
  readonly lastLines: readonly string[]
  /** The system says that it killed for want of memory. */
  readonly oomKilled?: boolean | undefined
  /** It was asked to stop before it ended. */
  readonly askedToStop?: boolean | undefined
}

/** How a program ended, in a few words for a person. */
export function describeExit(exit: Exit, context: ExitContext): string {
  const { code, signal } = exit
  if (signal !== null) return describeSignal(signal, context)
  if (code === null) return 'ended while prodserver was not there to see how'
  const meaning = context.askedToStop ? undefined : meaningOf(code, context)
  return meaning === undefined ? `exit ${code}` : `exit ${code}: ${meaning}`
}

function describeSignal(signal: string, { oomKilled, askedToStop }: ExitContext): string {
  if (oomKilled) return `killed by ${signal}: out of memory`
  // Uvicorn and waitress end by the very signal that asks them to; that is a clean stop.
  if (askedToStop) return signal === 'SIGKILL' ? 'killed by SIGKILL' : `stopped by ${signal}`
  if (signal === 'SIGKILL') return 'killed by SIGKILL (not by prodserver; the system may have been out of memory)'
  const crash = CRASHES[signal]
  return crash === undefined ? `killed by ${signal} (not by prodserver)` : `crashed with ${signal}: ${crash}`
}

const CRASHES: Readonly<Record<string, string>> = {
  SIGSEGV: 'a fault in compiled code',
  SIGBUS: 'a fault in compiled code, or a file that was cut short',
  SIGILL: 'compiled code for another processor',
  SIGFPE: 'a fault in compiled code',
  SIGABRT: 'it gave up by itself',
  SIGSYS: 'a system call that it may not make',
  SIGXCPU: 'its limit of processor time',
  SIGXFSZ: 'its limit of file size',
}

/** What a server means by a code, where that is more than that something failed. From their sources and from trials. */
const MEANINGS: readonly {
  readonly title: RegExp
  readonly code: number
  /** Where the code means several things. */
  readonly line?: RegExp
  readonly words: string
}[] = [
  { title: /gunicorn/i, code: 3, words: 'a gunicorn worker could not start' },
  { title: /gunicorn/i, code: 4, words: 'gunicorn could not load the application' },
  { title: /uvicorn/i, code: 3, line: /Error loading ASGI app/, words: 'uvicorn could not load the application' },
  { title: /uvicorn/i, code: 3, line: /attempting to bind/, words: 'uvicorn could not listen' },
  { title: /uvicorn/i, code: 3, words: 'the startup of uvicorn failed' },
  { title: /waitress/i, code: 0, line: /importing your module/, words: 'waitress could not import the application' },
  { title: /celery/i, code: 69, words: 'no answer from the broker or from a worker' },
  { title: /dramatiq/i, code: 3, words: 'dramatiq could not reach its broker' },
  { title: /dramatiq/i, code: 4, words: 'dramatiq could not write its pid file' },
  { title: /uwsgi/i, code: 22, words: 'uWSGI could not load the application' },
  { title: /node/i, code: 9, line: /bad option/, words: 'it refused its command line' },
  {
    title: /celery/i,
    code: 2,
    line: /Unable to load celery application/,
    words: 'celery could not load the application',
  },
  { title: /./, code: 2, line: /^usage: |^Usage: |: error: /, words: 'it refused its command line' },
  { title: /./, code: 126, words: 'its program may not be executed' },
  { title: /./, code: 127, words: 'its program, or one that it needs, was not found' },
]

/** The codes of programs in C, which shells and scripts hand on. */
const SIGNAL_CODES: Readonly<Record<number, string>> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  134: 'SIGABRT',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
}

function meaningOf(code: number, { title, lastLines }: ExitContext): string | undefined {
  const meaning = MEANINGS.find(
    (each) =>
      each.code === code && each.title.test(title) && (!each.line || lastLines.some((line) => each.line?.test(line))),
  )
  const signal = SIGNAL_CODES[code]
  return meaning?.words ?? (signal && `a program that it ran was killed by ${signal}`)
}
