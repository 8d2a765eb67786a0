import type { ContextOf } from '../../command.ts'
import { listProcesses } from '../../list-processes.ts'
import type { FLAGS } from './flags.ts'

export const execute = (context: ContextOf<typeof FLAGS>): Promise<number> => listProcesses(context)
