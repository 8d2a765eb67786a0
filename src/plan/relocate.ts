import { Secret } from '../core/secret.ts'
import type { Plan } from './plan.ts'

/** A folder, and the one that stands for it. */
export type Move = readonly [from: string, to: string]

/** The plan as it would be in another folder: paths below one of the folders are below the other. */
export const relocatePlan = (plan: Plan, moves: readonly Move[]): Plan => relocated(plan, moves) as Plan

/** The text with the paths in it below the other folder. */
const relocateText = (text: string, moves: readonly Move[]): string =>
  moves.reduce(
    (moved, [from, to]) => moved.split(from).reduce((before, after) => before + (isInName(after) ? from : to) + after),
    text,
  )

/** `/srv/shop` is no part of `/srv/shop-2`. */
const isInName = (rest: string): boolean => /^[\w.-]/.test(rest)

function relocated(value: unknown, moves: readonly Move[]): unknown {
  if (typeof value === 'string') return relocateText(value, moves)
  if (value instanceof Secret)
    return new Secret(relocateText(value.reveal(), moves), relocateText(String(value), moves))
  if (Array.isArray(value)) return value.map((item) => relocated(item, moves))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, relocated(inner, moves)]))
}
