import { UsageError } from '../../../core/errors.ts'
import { type ActionContext, changeProcesses } from '../../change-processes.ts'

/** Changes the number of instances of processes. */
export const execute = async (context: ActionContext): Promise<number> =>
  changeProcesses({ verb: 'scale', targets: [], counts: parseCounts(context.operands) }, context)

/** @throws {UsageError} for an operand that is not `NAME=COUNT`, and for none. */
function parseCounts(operands: readonly string[]): Readonly<Record<string, string>> {
  if (operands.length === 0) throw new UsageError('Say how many: NAME=COUNT.')
  const counts = operands.map((operand) => {
    const [, selector, count] = /^(.+?)=([+-]?\d+)$/.exec(operand) ?? []
    if (selector === undefined || count === undefined) throw new UsageError(`${operand} is not NAME=COUNT.`)
    return [selector, count] as const
  })
  return Object.fromEntries(counts)
}
