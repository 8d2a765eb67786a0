import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { socketPath } from '../../control/state-dir.ts'
import { endOldShim } from '../state/compat.ts'
import { greet, type Shim, ShimBusyError, type ShimEvents, ShimProtocolError } from './client.ts'
import { endProcess } from './end-process.ts'
import { ALREADY_RUNNING, SHIM_LOG, SHIM_SOCKET } from './messages.ts'
import { shimProgram } from './programs.ts'

export interface ShimOptions {
  readonly stateDir: string
  /** Interpreter that runs the shim. */
  readonly python: string
  /** Descriptor of a connection that exists from the start: the shim started this supervisor. */
  readonly fd?: number | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

const ATTEMPTS = 100
const PAUSE_MS = 50

/**
 * Connects to the shim of a state directory, or starts one.
 *
 * @throws {ShimBusyError} when another supervisor is connected to it.
 */
export async function openShim(options: ShimOptions, events: ShimEvents): Promise<Shim> {
  const { Socket } = process.getBuiltinModule('node:net')
  if (options.fd !== undefined)
    return greet(new Socket({ fd: options.fd, readable: true, writable: true }), events, false)
  for (let attempt = 1; ; attempt++) {
    const shim = (await greetRunning(options.stateDir, events)) ?? (await startAndGreet(options, events))
    if (shim) return shim
    // Another shim is about to open its socket, or to end.
    if (attempt === ATTEMPTS) throw new ShimBusyError()
    await new Promise((settle) => setTimeout(settle, PAUSE_MS))
  }
}

/** Greets the running shim. Undefined if there is none, or if it ends. */
async function greetRunning(stateDir: string, events: ShimEvents): Promise<Shim | undefined> {
  const running = await connectTo(stateDir)
  if (!running) return undefined
  try {
    return await greet(running, events, false)
  } catch (error) {
    if (error instanceof ShimBusyError) throw error
    // A shim of another version cannot be used. The next one adopts its programs.
    if (error instanceof ShimProtocolError) await endProcess(error.pid)
    return undefined
  }
}

/** Starts a shim and greets it. Undefined if another one has the state directory. */
async function startAndGreet(options: ShimOptions, events: ShimEvents): Promise<Shim | undefined> {
  await endOldShim(options.stateDir)
  const started = startShim(options)
  try {
    return await greet(started.socket, events, true)
  } catch (error) {
    if ((await started.code()) !== ALREADY_RUNNING) throw error
    return undefined
  }
}

async function connectTo(stateDir: string): Promise<Socket | undefined> {
  const { connect } = process.getBuiltinModule('node:net')
  const target = socketPath(stateDir, SHIM_SOCKET)
  return new Promise((settle) => {
    const socket = connect(target.path)
    socket.once('connect', () => {
      target.close()
      settle(socket)
    })
    socket.once('error', () => {
      target.close()
      settle(undefined)
    })
  })
}

/**
 * Arguments of the interpreter that runs the shim. Nothing of the project, of the environment or of the user gets into
 * the shim, and the interpreter writes nothing into the folders of the system.
 */
export const shimArguments = (stateDir: string): readonly string[] => ['-I', '-S', '-B', shimProgram, stateDir]

interface StartedShim {
  readonly socket: Socket
  /** Exit code, once it has ended. */
  readonly code: () => Promise<number | null>
}

function startShim({ stateDir, python, env }: ShimOptions): StartedShim {
  for (const folder of ['logs', 'run']) mkdirSync(join(stateDir, folder), { recursive: true, mode: 0o700 })
  const log = openSync(join(stateDir, SHIM_LOG), 'a', 0o600)
  try {
    const child = spawn(python, shimArguments(stateDir), {
      // A session of its own: an interrupt at the terminal does not reach it.
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      cwd: '/',
      env,
    })
    child.unref()
    const code = new Promise<number | null>((settle) => {
      child.once('exit', settle)
      child.once('error', () => settle(null))
    })
    const ended = (): Promise<number | null> => {
      // Nothing else may keep this process alive while it waits.
      child.ref()
      return code
    }
    return { socket: child.stdio[3] as unknown as Socket, code: ended }
  } finally {
    closeSync(log)
  }
}
