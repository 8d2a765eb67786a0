import { type ActionContext, changeProcesses } from '../../change-processes.ts'

/** Stops processes and starts them again. */
export const execute = (context: ActionContext): Promise<number> =>
  changeProcesses({ verb: 'restart', targets: context.operands }, context)
