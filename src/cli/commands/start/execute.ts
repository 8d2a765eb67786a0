import { type ActionContext, changeProcesses } from '../../change-processes.ts'

/** Starts processes, and what they depend on. */
export const execute = (context: ActionContext): Promise<number> =>
  changeProcesses({ verb: 'start', targets: context.operands }, context)
