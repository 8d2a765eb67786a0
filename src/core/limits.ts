/** Resource limits of a process: names, values, and one canonical form that `prlimit` and the shim read. */

/** The limits of Linux, as `prlimit` names them. */
export const LIMIT_NAMES = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const

type LimitName = (typeof LIMIT_NAMES)[number]

/** The largest number that the shim can set; more is `unlimited`. */
const LARGEST = 2n ** 63n - 1n

/** A soft and a hard limit: digits, or `unlimited`. An empty half keeps the limit that the process inherits. */
export interface Limit {
  readonly soft: string
  readonly hard: string
}

/** Pattern of a limit in its canonical form: `1024`, `512:1024`, `unlimited`, `1024:` or `:1024`. */
export const CANONICAL_LIMIT: RegExp = /^((\d+|unlimited)(:(\d+|unlimited)?)?|:(\d+|unlimited))$/

/** Returns the canonical name of a limit, which may be written in upper case; undefined if Linux has no such limit. */
export const parseLimitName = (name: string): LimitName | undefined =>
  LIMIT_NAMES.find((known) => known === name.toLowerCase())

/**
 * Parses a number, `unlimited`, `infinity` or -1, or two of them as in `"512:1024"`, of which one half may be empty.
 *
 * Returns undefined for anything else, and if the soft limit is above the hard limit.
 */
export function parseLimit(value: string | number): Limit | undefined {
  const halves = String(value).split(':')
  const [soft, hard = soft] = halves.map(parseHalf)
  if (halves.length > 2 || soft === undefined || hard === undefined || (soft === '' && hard === '')) return undefined
  return isAbove(soft, hard) ? undefined : { soft, hard }
}

function parseHalf(text: string): string | undefined {
  if (text === '') return text
  if (['unlimited', 'infinity', '-1'].includes(text)) return 'unlimited'
  if (!/^\d+$/.test(text) || BigInt(text) > LARGEST) return undefined
  return String(BigInt(text))
}

function isAbove(soft: string, hard: string): boolean {
  if (soft === '' || hard === '' || hard === 'unlimited') return false
  return soft === 'unlimited' || BigInt(soft) > BigInt(hard)
}

/** Prints a limit in its canonical form. */
export const printLimit = ({ soft, hard }: Limit): string => (soft === hard ? soft : `${soft}:${hard}`)
