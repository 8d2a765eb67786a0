import { UsageError } from '../errors.ts'
import type { CommandContext } from './commands.ts'
import { single } from './read-project.ts'

/** Whether the command is for what was deployed, and not for this machine. @throws {UsageError} for an unknown place */
export function isOnCluster(context: CommandContext): boolean {
  const on = single(context, 'on')
  if (on !== undefined && on !== 'kubernetes') throw new UsageError(`--on takes kubernetes, not ${JSON.stringify(on)}.`)
  return on !== undefined
}
