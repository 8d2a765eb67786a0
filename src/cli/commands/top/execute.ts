import { connectSupervisor } from '../../../control/client.ts'
import { UsageError } from '../../../core/errors.ts'
import type { ContextOf } from '../../command.ts'
import { listProcesses } from '../../list-processes.ts'
import { locateState } from '../../locate-state.ts'
import { requireRunning } from '../../require-supervisor.ts'
import { selectableProcesses, selectRunning } from '../../select-running.ts'
import type { FLAGS } from './flags.ts'
import { Session } from './session.ts'

/** Shows what runs, live, on the whole screen; with `--once` as `ps`. */
export async function execute(context: ContextOf<typeof FLAGS>): Promise<number> {
  const { options, operands, io, paint } = context
  if (options.once) return listProcesses(context)
  if (options.json) throw new UsageError('--json needs --once.', 'Write: prodserver top --once --json')
  if (!io.stdout.isTerminal || !isTerminal(0))
    throw new UsageError('top needs a terminal.', 'Write: prodserver top --once')
  const stateDir = locateState(context)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const { processes } = await client.snapshot()
  selectRunning(operands, selectableProcesses(processes))
  return new Session({ selectors: operands, paint, stateDir, client }).run()
}

const isTerminal = (fd: number): boolean => process.getBuiltinModule('node:tty').isatty(fd)
