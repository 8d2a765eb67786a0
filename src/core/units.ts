/** Durations and sizes as people write them, turned once into milliseconds and bytes. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** What a text must look like; patterns without flags, as editors know them. */
export const DURATION: RegExp = /^\s*(\d+(\.\d+)?|(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+)\s*$/
export const SIZE: RegExp = /^\s*(\d+(?:\.\d+)?)\s*([KMGTkmgt]?)([iI]?[bB])?\s*$/

/** `"30s"`, `"1m30s"`, `"500ms"`, `"2"` or a number of seconds, in milliseconds; undefined when it is none of these. */
export function parseDurationMs(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value * 1000 : undefined
  if (!DURATION.test(value)) return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  return [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit as string] as number),
    0,
  )
}

/** `"512M"`, `"1.5G"`, `"512MiB"` or a number of bytes, in bytes (K is 1024); undefined when it is none of these. */
export function parseSizeBytes(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined
  const match = SIZE.exec(value)
  if (!match) return undefined
  return Math.round(Number(match[1]) * (UNIT_BYTES[(match[2] || 'B').toUpperCase()] as number))
}

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** The two largest units: `3d 4h`, `2m 5s`, `14s`; below ten seconds with tenths, `0.3s`. */
export function renderDuration(ms: number): string {
  if (ms < 9950) return `${(Math.max(0, ms) / 1000).toFixed(1).replace(/\.0$/, '')}s`
  const seconds = Math.round(ms / 1000) * 1000
  const first = DURATION_UNITS.findIndex(([, unit]) => seconds >= unit)
  const parts = DURATION_UNITS.slice(first, first + 2).map(([name, unit], index, pair) => {
    const left = index === 0 ? seconds : seconds % (pair[0] as (typeof DURATION_UNITS)[number])[1]
    return [Math.floor(left / unit), name] as const
  })
  return parts
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count}${name}`)
    .join(' ')
}

/** `88M`, `1.2G`. */
export function renderBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T']
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 9.95 && unit > 2 ? value.toFixed(1) : Math.round(value)}${units[unit]}`
}
