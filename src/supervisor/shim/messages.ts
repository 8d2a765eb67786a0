/** Messages between the supervisor and the shim. protocol.md describes them, protocol.vectors.json has one of each. */

import type { LaunchValues } from '../../plan/planned-keys.ts'

/** Grows when the shim would misunderstand a command of an older supervisor, or the other way round. */
export const PROTOCOL = 2

/** File names in the state directory. */
export const SHIM_SOCKET = 'shim.sock'
export const SHIM_LOG = 'shim.log'
/** Exit code of a shim that found another one in the state directory. */
export const ALREADY_RUNNING = 75

/** How to start a program: the values of declaration keys, and what follows. `Start` in start.py reads these fields. */
export interface Start extends LaunchValues {
  /** Names the invocation to the shim, now and for later supervisors. */
  readonly token: string
  readonly instance: string
  readonly invocation: number
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** File that the program holds locked as long as it lives. The program does not start while another one does. */
  readonly lock: string | null
  /** Names of sockets, which become the program's descriptors from 3 on. */
  readonly sockets: readonly string[]
}

/** An invocation that the shim holds. */
export interface HeldInvocation {
  readonly token: string
  readonly pid: number
  readonly startTicks: number
  readonly instance: string
  readonly invocation: number
}

/** A message that is only its type. */
type NoFields = object

/** Fields of each command, by its type. */
export interface Commands {
  readonly hello: { readonly protocol: number }
  readonly quit: NoFields
  readonly spawn: Start
  readonly adopt: HeldInvocation & { readonly pipe: string }
  readonly signal: { readonly token: string; readonly signal: number }
  readonly forget: { readonly token: string }
  readonly log: { readonly instance: string; readonly maxSizeBytes: number; readonly keep: number }
  readonly bind: { readonly name: string; readonly address: string; readonly listen: boolean }
  readonly close: { readonly name: string }
  readonly announce: { readonly socket: string; readonly text: string }
}

/** Fields of each message of the shim, by its type. */
export interface Replies {
  readonly busy: NoFields
  readonly welcome: Welcome
  readonly spawned: { readonly token: string; readonly pid: number; readonly startTicks: number }
  readonly failed: { readonly token: string } & StartFailure
  /** `status` is missing if no shim could see the end. */
  readonly exited: { readonly token: string; readonly status?: number }
  readonly notified: { readonly pid: number; readonly session: number; readonly text: string }
  readonly bound: { readonly name: string; readonly address: string }
  readonly 'not-bound': { readonly name: string } & SystemError
  readonly 'log-full': { readonly instance: string; readonly message: string }
  readonly 'log-error': { readonly instance: string; readonly message: string }
  readonly 'log-lost': { readonly instance: string; readonly lines: number; readonly bytes: number }
  readonly rotated: { readonly instance: string; readonly sequence: number }
}

/** Answer to the first command: everything that the shim holds. */
export interface Welcome {
  readonly protocol: number
  readonly pid: number
  /** Value of NOTIFY_SOCKET for programs; empty if that is not possible. */
  readonly notifySocket: string
  readonly invocations: readonly HeldInvocation[]
  /** Address of each socket, by its name. */
  readonly sockets: Readonly<Record<string, string>>
}

/** An error number of the system, and its text. */
export interface SystemError {
  readonly errno: number
  readonly message: string
}

export interface StartFailure extends SystemError {
  /** The step that failed: `program`, `CWD`, `USER`, `LIMITS`, or `lock:` and the process that has the lock. */
  readonly what: string
}

export type LogReply = Extract<Reply, { readonly type: `log-${string}` | 'rotated' }>

/** A message of the shim with its type. */
export type Reply = { readonly [Type in keyof Replies]: { readonly type: Type } & Replies[Type] }[keyof Replies]
