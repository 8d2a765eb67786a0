import type { ContextOf } from '../../command.ts'
import { listBackends } from '../../list-backends.ts'
import type { FLAGS } from './flags.ts'

export const execute = (context: ContextOf<typeof FLAGS>): Promise<number> => listBackends(context)
