import { UsageError } from '../core/errors.ts'
import type { CommandContext } from './commands/index.ts'
import { single } from './read-project.ts'

const CLUSTER_OPTIONS = ['kubeconfig', 'context', 'namespace', 'name']

/** Whether the command is for what was deployed, and not for this machine. @throws {UsageError} for an unknown place */
export function isOnCluster(context: CommandContext): boolean {
  const on = single(context, 'on')
  if (on !== undefined && on !== 'kubernetes') throw new UsageError(`--on takes kubernetes, not ${JSON.stringify(on)}.`)
  const meant = CLUSTER_OPTIONS.find((name) => single(context, name) !== undefined)
  if (on === undefined && meant !== undefined)
    throw new UsageError(
      `--${meant} says which cluster is meant, and nothing says that one is.`,
      'Add: --on kubernetes',
    )
  return on !== undefined
}
