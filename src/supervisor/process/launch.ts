import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launchValues } from '../../plan/planned-keys.ts'
import { SOCKET_PATH_BYTES } from '../../control/state-dir.ts'
import { printAddress } from '../../core/addresses.ts'
import type { Start } from '../shim/messages.ts'
import type { ProcessSpec } from '../spec.ts'
import { MARK, markOf } from '../procfs/descendant-cleanup.ts'

/** Variables by which a service manager speaks to us; a program that took them for its own would answer in our name. */
const OURS = [
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'JOURNAL_STREAM',
  'PRODSERVER_SHIM_FD',
]

export interface LaunchInput {
  readonly spec: ProcessSpec
  readonly instance: string
  readonly run: number
  readonly token: string
  readonly root: string
  /** Names the state directory. */
  readonly place: string
  readonly notifySocket: string
  /** Names of the sockets that it is given; none where it opens its own. */
  readonly sockets: readonly string[]
}

/** Returns the message with which the shim starts one invocation. */
export function startOf(input: LaunchInput): Start {
  const { spec, instance, run, token, root, sockets } = input
  const inherited = sockets.length > 0 ? spec.inherited : null
  return {
    token,
    instance,
    invocation: run,
    argv: inherited ? inherited.argv : spec.argv,
    env: environmentOf(input, inherited?.env ?? {}),
    ...launchValues(spec),
    lock: spec.alone === null ? null : lockPath(root, spec.alone),
    sockets,
  }
}

function environmentOf(
  { spec, instance, token, place, notifySocket }: LaunchInput,
  inherited: Readonly<Record<string, string>>,
): Record<string, string> {
  const env: Record<string, string> = { ...spec.env }
  for (const name of OURS) delete env[name]
  Object.assign(env, inherited)
  if (notifySocket !== '') env['NOTIFY_SOCKET'] = notifySocket
  return { ...env, PRODSERVER_PROCESS: spec.name, PRODSERVER_INSTANCE: instance, [MARK]: markOf(place, token) }
}

/**
 * The file that the only one of its kind holds locked. Where it lies does not depend on the state directory, so that a
 * second supervisor of the same project finds the lock as well.
 */
function lockPath(root: string, alone: string): string {
  const own = process.getuid?.()
  const folder = `/tmp/prodserver-locks-${own}`
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid } = lstatSync(folder)
  if (uid !== own) throw new Error(`${folder} belongs to somebody else`)
  return join(folder, createHash('sha256').update(`${root}\0${alone}`).digest('hex').slice(0, 24))
}

/** Where one life is asked by probes, and nobody else: on the shared address another life may answer. */
export const probeAddressOf = (stateDir: string, token: string): string => socketAddress(stateDir, token, 'probe')

/** Returns the private address on which a canary listens. */
export const canaryAddressOf = (stateDir: string, token: string, index: number): string =>
  socketAddress(stateDir, token, `try${index}`)

/** The path of a socket may have 107 bytes: a process with a long name has one without its name. */
function socketAddress(stateDir: string, token: string, suffix: string): string {
  const path = (name: string): string => join(stateDir, 'run', `${name}.${suffix}`)
  const named = path(token.replace('#', '-'))
  const isShort = Buffer.byteLength(named) <= SOCKET_PATH_BYTES
  return printAddress({ path: isShort ? named : path(createHash('sha256').update(token).digest('hex').slice(0, 10)) })
}
