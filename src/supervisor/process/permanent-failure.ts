import type { Exit } from '../../control/protocol.ts'

/** What will be the same at the next start, however often that is tried. */
const CERTAIN: readonly { readonly line: RegExp; readonly words: string; readonly code?: number }[] = [
  { line: /^(\w+\.)*(ModuleNotFoundError|ImportError)\b/, words: 'A module cannot be imported' },
  { line: /^(SyntaxError|IndentationError|TabError)\b/, words: 'The code has an error of syntax' },
  { line: /^(NameError|ReferenceError|UnboundLocalError)\b/, words: 'The code uses a name that is not defined' },
  { line: /^AttributeError: (partially initialized )?module /, words: 'The code uses a name that is not defined' },
  { line: /^([\w.]+\.)?ImproperlyConfigured\b/, words: 'The settings are wrong' },
  { line: /(python[\d.]*|pypy\d*): No module named /, words: 'A module cannot be imported' },
  { line: /python[\d.]*: can't open file /, words: 'The program does not exist' },
  { line: /^Error( \[\w+\])?: Cannot find (module|package) /, words: 'A module cannot be imported' },
  { line: /^There was an exception \(\w+\) importing your module/, words: 'The application cannot be imported' },
  { line: /^RuntimeError: Could not import /, words: 'The application cannot be imported' },
  { line: /Error loading ASGI app/, words: 'The application cannot be loaded' },
  { line: /^Failed to (find attribute|parse) /, words: 'The application cannot be loaded' },
  { line: /^Error: class uri .* invalid or not found/, words: 'The worker class cannot be loaded' },
  { line: /No application module specified/, words: 'There is no application to load' },
  { line: /Unable to load celery application/, words: 'The application cannot be loaded' },
  { line: /^The module .* was not found\.$/, words: 'The application cannot be loaded' },
  { line: /^Unknown command: /, words: 'There is no such management command' },
  { line: /address already in use|EADDRINUSE:|Connection in use: |\[Errno 98\]/i, words: 'Its address is in use' },
  { line: /bind on address .*permission denied|listen EACCES/i, words: 'It may not listen on its address' },
  { line: /connection to \(.*\) failed: \[Errno 13\]/, words: 'It may not listen on its address' },
  { line: /unrecognized arguments: |: error: /, code: 2, words: 'It does not take its command line' },
  {
    line: /^Error: (No such|Invalid|Missing|Got unexpected|Option|Unexpected)\b/,
    code: 2,
    words: 'It does not take its command line',
  },
  {
    line: /^Error: option -\S+ (not recognized|not a unique prefix|requires argument|must not have)/,
    words: 'It does not take its command line',
  },
  { line: /: bad option: /, code: 9, words: 'It does not take its command line' },
]

/** What passes: whatever else is said beside it may be its consequence. */
const PASSING = new RegExp(
  [
    'connection ?refused|ECONNREFUSED|Errno 111|Connection reset|unreachable|could not connect|cannot connect',
    'OperationalError|InterfaceError|ConnectionError|TimeoutError|timed out',
    'name resolution|Name or service not known|could not translate host name|gaierror|EAI_AGAIN|\\bENOTFOUND\\b',
    'No space left|Too many open files|MemoryError|Cannot allocate memory',
  ].join('|'),
  'i',
)

/** The last line of a Python or JavaScript traceback. */
const EXCEPTION = /^([A-Za-z_][\w.]*\.)?\w*(Error|Exception|Configured|Exit)\b(?: \[\w+\])?(:|$)/

/** Of what has no words of its own in a traceback: `PermissionError` is one of a socket when `bind` is beside it. */
const BIND = /\.bind\(|\bbind_|_init_shared_socket/
const BIND_REFUSED =
  /^(PermissionError: \[Errno 13\] Permission denied$|RuntimeError: Permission denied \(os error 13\))/

/**
 * Why a program that ended before it was ever ready is certain to fail again, with the line that says so; null when it
 * may work the next time. In doubt it may: a needless start costs little, a service that is given up on is down.
 */
export function permanentFailure(exit: Exit, lastLines: readonly string[]): string | null {
  if (exit.signal !== null || exit.code === null) return null
  const lines = lastLines.map(plain)
  if (lines.some((line) => PASSING.test(line))) return null
  const found = lines.findLastIndex((line) => wordsOf(line, exit.code) !== undefined || EXCEPTION.test(line))
  const line = lines[found] ?? ''
  const mayNotBind = BIND_REFUSED.test(line) && lines.some((each) => BIND.test(each))
  const words = mayNotBind ? 'It may not listen on its address' : wordsOf(line, exit.code)
  if (words !== undefined) return sentence(words, evidence(lines, found))
  if (found >= 0) return null
  if (exit.code === 126) return sentence('Its program may not be executed', lines.at(-1))
  return exit.code === 127 ? sentence('A program was not found', lines.at(-1)) : null
}

const wordsOf = (line: string, exitCode: number | null): string | undefined =>
  CERTAIN.find((each) => each.line.test(line) && (each.code === undefined || each.code === exitCode))?.words

/** The line, and the place in the code that a traceback names above it. */
function evidence(lines: readonly string[], at: number): string {
  const line = lines[at] ?? ''
  // Waitress says what was wrong below, in a list of one.
  const below = /importing your module/.test(line) ? lines.slice(at).find((each) => /^\d+\. /.test(each)) : undefined
  if (below !== undefined) return below.replace(/^\d+\. /, '')
  if (!EXCEPTION.test(line)) return line
  const above = lines.slice(Math.max(0, at - 5), at).findLast((each) => /^ +File "[^<"]/.test(each))
  const place = /File "([^"]+)", line (\d+)/.exec(above ?? '')
  return place ? `${line} (${place[1]}, line ${place[2]})` : line
}

const MAX_EVIDENCE = 300
/** Time, pid and level, of gunicorn's lines and of uvicorn's. */
const LOG_PREFIX = /^(\[[^\]]*\] )*\[(ERROR|CRITICAL)\] |^(ERROR|CRITICAL): +/

function sentence(words: string, evidence = ''): string {
  const shown = evidence.replace(LOG_PREFIX, '').trim().slice(0, MAX_EVIDENCE)
  const whole = shown === '' ? words : `${words}: ${shown}`
  return /[.!?]$/.test(whole) ? whole : `${whole}.`
}

/** Without colours, and without what else moves a cursor. */
const plain = (line: string): string =>
  line
    // oxlint-disable-next-line no-control-regex -- These are what a terminal takes as colours.
    .replace(/\x1b\[[\d;]*[A-Za-z]/g, '')
    .replace(/\p{C}+/gu, ' ')
    .trimEnd()
