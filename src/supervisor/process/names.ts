import { join } from 'node:path'

/** Names of instances and invocations, and of their files in the state directory. */

export const instanceId = (process: string, slot: number): string => `${process}.${slot}`
/** Identifies one invocation for the shim, for sockets and for the instance tag. */
export const tokenOf = (instance: string, number: number): string => `${instance}#${number}`
export const instanceOf = (token: string): string => token.slice(0, token.lastIndexOf('#'))
export const slotOf = (instance: string): number => Number(instance.slice(instance.lastIndexOf('.') + 1))
export const pipeOf = (stateDir: string, instance: string, number: number): string =>
  join(stateDir, 'run', `${instance}-${number}.log`)
