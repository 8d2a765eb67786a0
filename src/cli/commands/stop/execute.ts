import { changeProcesses } from '../../change-processes.ts'
import type { ContextOf } from '../../command.ts'
import type { FLAGS } from './flags.ts'

/** Stops processes; `--force` kills them. */
export const execute = (context: ContextOf<typeof FLAGS>): Promise<number> =>
  changeProcesses({ verb: 'stop', targets: context.operands, force: context.options.force }, context)
