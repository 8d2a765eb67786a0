import type { ExportedProcess } from '../input.ts'
import type { YamlValue } from '../yaml.ts'

/** Limits that Docker knows, with a value for both halves. */
const ULIMIT =
  /^(core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack)=(\d+|unlimited)(?::(\d+|unlimited))?$/

export const isUlimit = (limit: string, value: string): boolean => ULIMIT.test(`${limit}=${value}`)

/** Returns the limits that Docker knows as `ulimits` of a service; undefined if there are none. */
export function ulimits(limits: ExportedProcess['limits']): YamlValue {
  const entries = Object.entries(limits).flatMap(([limit, value]) => {
    const [, name = '', soft = '', hard] = ULIMIT.exec(`${limit}=${value}`) ?? []
    if (name === '') return []
    return [[name, hard === undefined ? numberOf(soft) : { soft: numberOf(soft), hard: numberOf(hard) }] as const]
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

const numberOf = (text: string): number => (text === 'unlimited' ? -1 : Number(text))
