import { UsageError } from '../core/errors.ts'
import type { OnClusterOptions } from './option-sets.ts'

const CHOOSING = ['kubeconfig', 'context', 'namespace', 'name'] as const

/**
 * Says whether the command is about a cluster instead of this machine.
 *
 * @throws {UsageError} for an option that chooses a cluster without `--on`.
 */
export function isOnCluster(options: Partial<OnClusterOptions>): boolean {
  if (options.on !== undefined) return true
  const given = CHOOSING.find((name) => options[name] !== undefined)
  if (given === undefined) return false
  throw new UsageError(`--${given} says which cluster is meant, and nothing says that one is.`, 'Add: --on kubernetes')
}
