import { type Limit, parseLimit } from '../../core/limits.ts'
import type { ExportedProcess } from '../input.ts'

/** A limit that Docker can set; -1 is unlimited. */
interface Ulimit {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

/** Returns the limits that Docker can set: all but address space, with a value for both halves. */
export const ulimits = ({ limits }: ExportedProcess): readonly Ulimit[] =>
  Object.entries(limits).flatMap(([name, text]) => {
    const limit = parseLimit(text)
    return isUlimit(name, limit) ? [{ name, soft: toNumber(limit.soft), hard: toNumber(limit.hard) }] : []
  })

/** Describes the limits that Docker cannot set. */
export const unknownUlimits = ({ limits }: ExportedProcess): readonly string[] =>
  Object.entries(limits)
    .filter(([name, text]) => !isUlimit(name, parseLimit(text)))
    .map(([name, text]) => `Docker cannot set the limit ${name}=${text}, so the export leaves it out.`)

const isUlimit = (name: string, limit: Limit | undefined): limit is Limit =>
  name !== 'as' && limit !== undefined && limit.soft !== '' && limit.hard !== ''

const toNumber = (half: string): number => (half === 'unlimited' ? -1 : Number(half))
