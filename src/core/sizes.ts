/** Sizes in bytes: text that people write, numbers, and one printed form. K is 1024. */

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** Pattern of a size. Without flags, because the JSON Schema contains it. */
export const SIZE: RegExp = /^\s*(\d+(?:\.\d+)?)\s*([KMGTkmgt]?)([iI]?[bB])?\s*$/

/** Parses `"512M"`, `"1.5G"`, `"512MiB"` or a number of bytes. Returns undefined for anything else. */
export function parseSizeBytes(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined
  const match = SIZE.exec(value)
  if (!match) return undefined
  return Math.round(Number(match[1]) * (UNIT_BYTES[(match[2] || 'B').toUpperCase()] as number))
}

type SizeUnit = 'B' | 'K' | 'M' | 'G' | 'T'

/** Divides a size by the largest unit that leaves no fraction. */
export function splitSize(bytes: number): readonly [amount: number, unit: SizeUnit] {
  const unit =
    (['T', 'G', 'M', 'K'] as const).find((each) => bytes > 0 && bytes % (UNIT_BYTES[each] as number) === 0) ?? 'B'
  return [bytes / (UNIT_BYTES[unit] as number), unit]
}

/** Prints a size exactly: `512M`, `1536K`. `parseSizeBytes` reads it back. */
export const printSize = (bytes: number): string => splitSize(bytes).join('')

/** Prints a measured size in at most three digits: `88M`, `1.2G`. */
export function printRoundedSize(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T']
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 9.95 && unit > 2 ? value.toFixed(1) : Math.round(value)}${units[unit]}`
}

/** Converts to whole mebibytes, rounded up, at least one. */
export const toMebibytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024 ** 2))
