import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import type { Exit } from '../../control/protocol.ts'
import { socketPath } from '../../control/state-dir.ts'
import type { LaunchValues } from '../../plan/planned-keys.ts'
import { createUnpacker, type Field, pack } from './wire.ts'

/** What a program is started with. */
export interface Start extends LaunchValues {
  /** Names this life to the keeper, now and to the supervisors that come after this one. */
  readonly token: string
  readonly instance: string
  readonly run: number
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** A file that the program holds locked as long as it lives; it does not start where another one does. */
  readonly lock: string | null
  /** Names of sockets; they become its descriptors from 3 on. */
  readonly sockets: readonly string[]
}

/** A life that a keeper has from before. */
export interface KeptLife {
  readonly token: string
  readonly pid: number
  readonly startTicks: number
  readonly instance: string
  readonly run: number
}

/** What the keeper tells, as it happens. */
export interface KeeperEvents {
  readonly onSpawned: (token: string, pid: number, startTicks: number) => void
  readonly onFailed: (token: string, failure: StartFailure) => void
  readonly onExited: (token: string, exit: Exit) => void
  readonly onNotify: (notification: { pid: number; session: number; text: string }) => void
  readonly onLog: (news: LogNews) => void
  /** The keeper has gone; what it kept may live on. */
  readonly onLost: () => void
}

export interface StartFailure {
  readonly errno: number
  readonly message: string
  /** What failed: `program`, `CWD`, `USER`, `LIMITS`, or `lock:` and who holds it. */
  readonly what: string
}

export type LogNews =
  | { readonly type: 'full' | 'error'; readonly log: string; readonly message: string }
  | { readonly type: 'lost'; readonly log: string; readonly lines: number; readonly bytes: number }
  | { readonly type: 'rotated'; readonly log: string; readonly sequence: number }

/** For a person; null where nothing is wrong. */
export function describeLogNews(news: LogNews): string | null {
  switch (news.type) {
    case 'full':
      return `its output cannot be stored: ${news.message}; it goes on`
    case 'error':
      return `its output cannot be stored: ${news.message}`
    case 'lost':
      return `there is room again; ${news.lines} lines (${news.bytes} bytes) were not stored`
    case 'rotated':
      return null
    default:
      return news satisfies never
  }
}

export interface Keeper {
  readonly pid: number
  /** It was started just now: it has nothing from before. */
  readonly isNew: boolean
  /** For the environment of programs that tell when they are ready; empty where that is not possible. */
  readonly notifySocket: string
  readonly lives: readonly KeptLife[]
  /** Names of the sockets that it holds from before. */
  readonly sockets: ReadonlyMap<string, string>
  /** From now on its news may come; until then they wait. */
  readonly listen: () => void
  readonly start: (start: Start) => void
  readonly signal: (token: string, signal: NodeJS.Signals) => void
  /** The news of its end has arrived: nothing more is kept of it. */
  readonly forget: (token: string) => void
  readonly adopt: (life: KeptLife, pipe: string) => void
  readonly log: (instance: string, limits: { maxSizeBytes: number; keep: number }) => void
  /** The address that was bound; it may have got a port. */
  readonly bind: (name: string, address: string, listen: boolean) => Promise<BindResult>
  readonly close: (name: string) => void
  /** A message to the service manager that started the supervisor. */
  readonly announce: (socket: string, text: string) => void
  /** Ends the keeper; resolves when it has gone. */
  readonly quit: () => Promise<void>
  /** Leaves the keeper and all that it keeps as they are. */
  readonly leave: () => void
}

export type BindResult = { readonly address: string } | { readonly errno: number; readonly message: string }

/** Another supervisor has the keeper. */
export class KeeperBusyError extends Error {
  override readonly name = 'KeeperBusyError'
}

export interface KeeperOptions {
  readonly stateDir: string
  readonly python: string
  /** The folder of the keeper's program. */
  readonly program: string
  /** A connection that is there from the start: the keeper started us. */
  readonly fd?: number | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Grows when a keeper of before would misunderstand a command; see `VERSION` in keeper.py. */
const PROTOCOL = '1'

/** What waits until somebody listens. */
const NEWS: ReadonlySet<string> = new Set([
  'spawned',
  'failed',
  'exited',
  'notify',
  'log-full',
  'log-error',
  'log-lost',
  'rotated',
])

/** Exit code of a keeper that found another one in the state directory. */
const ALREADY_KEPT = 75

/**
 * Connects to the keeper of a state directory, and starts one where there is none.
 *
 * @throws {KeeperBusyError} when another supervisor is connected to it.
 */
export async function openKeeper(options: KeeperOptions, events: KeeperEvents): Promise<Keeper> {
  const { Socket } = process.getBuiltinModule('node:net')
  if (options.fd !== undefined)
    return greet(new Socket({ fd: options.fd, readable: true, writable: true }), events, false)
  for (let attempt = 1; ; attempt++) {
    const running = await connectTo(options.stateDir)
    try {
      if (running) return await greet(running, events, false)
    } catch (error) {
      if (error instanceof KeeperBusyError) throw error
      // It had nothing to keep any more, and was just ending.
    }
    const started = startKeeper(options)
    try {
      return await greet(started.socket, events, true)
    } catch (error) {
      if ((await started.code()) !== ALREADY_KEPT) throw error
      // Another one is on its way to its socket, or to its end.
      if (attempt === ATTEMPTS) throw new KeeperBusyError()
      await new Promise((settle) => setTimeout(settle, 50))
    }
  }
}

const ATTEMPTS = 100

async function connectTo(stateDir: string): Promise<Socket | undefined> {
  const { connect } = process.getBuiltinModule('node:net')
  const target = socketPath(stateDir, 'keeper.sock')
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

/** Of the interpreter: nothing of the project, of its environment or of the user gets into the keeper. */
export const keeperArguments = (program: string, stateDir: string): readonly string[] => [
  '-I',
  '-S',
  // Nothing is compiled into the folders of the system.
  '-B',
  program,
  stateDir,
]

function startKeeper({ stateDir, python, program, env }: KeeperOptions): {
  socket: Socket
  code: () => Promise<number | null>
} {
  for (const folder of ['logs', 'run']) mkdirSync(join(stateDir, folder), { recursive: true, mode: 0o700 })
  const log = openSync(join(stateDir, 'keeper.log'), 'a', 0o600)
  try {
    const child = spawn(python, keeperArguments(program, stateDir), {
      // A session of its own: an interrupt at the terminal is not for it.
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
      // While it is waited for, there may be nothing else that keeps us from ending.
      child.ref()
      return code
    }
    return { socket: child.stdio[3] as unknown as Socket, code: ended }
  } finally {
    closeSync(log)
  }
}

function greet(socket: Socket, events: KeeperEvents, isNew: boolean): Promise<Keeper> {
  const send = (...fields: readonly Field[]): void => void socket.write(pack(fields))
  const binds = new Map<string, (result: BindResult) => void>()
  const lives: KeptLife[] = []
  const sockets = new Map<string, string>()
  const early: (readonly string[])[] = []
  const { promise: gone, resolve: leaveNow } = Promise.withResolvers<void>()
  let heard = false
  let left = false
  const answer = (name: string, result: BindResult): void => {
    binds.get(name)?.(result)
    binds.delete(name)
  }
  return new Promise((settle, fail) => {
    let keeper: Keeper | undefined
    let welcome: readonly string[] = []
    const handlers: Record<string, (...fields: readonly string[]) => void> = {
      busy: () => {
        left = true
        socket.destroy()
        fail(new KeeperBusyError())
      },
      welcome: (...fields) => void (welcome = fields),
      life: (token = '', pid, ticks, instance = '', run) =>
        void lives.push({ token, pid: Number(pid), startTicks: Number(ticks), instance, run: Number(run) }),
      socket: (name = '', address = '') => void sockets.set(name, address),
      listed: () => {
        // It would misunderstand us, and what it keeps must not suffer from that.
        if (welcome[0] !== PROTOCOL) {
          left = true
          socket.destroy()
          return fail(
            new Error(`the keeper that runs speaks version ${welcome[0]} of its language, and not ${PROTOCOL}`),
          )
        }
        keeper = {
          pid: Number(welcome[1]),
          isNew,
          notifySocket: welcome[2] ?? '',
          lives,
          sockets,
          listen: () => {
            heard = true
            for (const fields of early.splice(0)) handle(fields)
          },
          start: (start) => send(...startMessage(start)),
          signal: (token, signal) => send('signal', token, constants.signals[signal]),
          forget: (token) => send('forget', token),
          adopt: ({ token, pid, startTicks, instance, run }, pipe) =>
            send('adopt', token, pid, startTicks, instance, run, pipe),
          log: (instance, { maxSizeBytes, keep }) => send('log', instance, maxSizeBytes, keep),
          bind: (name, address, listen) =>
            new Promise((bound) => {
              binds.set(name, bound)
              send('bind', name, address, listen ? 1 : 0)
            }),
          close: (name) => send('close', name),
          announce: (path, text) => send('announce', path, text),
          quit: () => {
            left = true
            send('quit')
            socket.end()
            return gone
          },
          leave: () => {
            left = true
            socket.destroy()
          },
        }
        settle(keeper)
      },
      spawned: (token = '', pid, ticks) => events.onSpawned(token, Number(pid), Number(ticks)),
      failed: (token = '', errno, message = '', what = '') =>
        events.onFailed(token, { errno: Number(errno), message, what }),
      exited: (token = '', status = '') => events.onExited(token, decodeStatus(status)),
      notify: (pid, session, text = '') => events.onNotify({ pid: Number(pid), session: Number(session), text }),
      bound: (name = '', address = '') => answer(name, { address }),
      'not-bound': (name = '', errno, message = '') => answer(name, { errno: Number(errno), message }),
      'log-full': (log = '', message = '') => events.onLog({ type: 'full', log, message }),
      'log-error': (log = '', _, message = '') => events.onLog({ type: 'error', log, message }),
      'log-lost': (log = '', lines, bytes) =>
        events.onLog({ type: 'lost', log, lines: Number(lines), bytes: Number(bytes) }),
      rotated: (log = '', sequence) => events.onLog({ type: 'rotated', log, sequence: Number(sequence) }),
      'not-signalled': () => {},
    }
    const handle = ([name = '', ...fields]: readonly string[]): void => handlers[name]?.(...fields)
    const unpacker = createUnpacker((fields) => {
      if (heard || !NEWS.has(fields[0] ?? '')) handle(fields)
      else early.push(fields)
    })
    socket.on('data', unpacker)
    socket.on('error', () => {})
    socket.once('close', () => {
      leaveNow()
      for (const name of binds.keys())
        answer(name, { errno: constants.errno.EAGAIN, message: 'EAGAIN: the keeper has gone' })
      if (!keeper) fail(new Error('the keeper ended before it answered'))
      else if (!left) events.onLost()
    })
    send('hello')
  })
}

const counted = (words: readonly string[]): readonly Field[] => [words.length, ...words]

function startMessage(start: Start): readonly Field[] {
  const { token, instance, run, cwd, user, group, umask, nice, lock, limits, sockets, argv, env } = start
  return [
    'spawn',
    token,
    instance,
    run,
    cwd,
    user ?? '',
    group ?? '',
    umask ?? '',
    nice ?? '',
    lock ?? '',
    ...counted(Object.entries(limits).map(([name, value]) => `${name}=${value}`)),
    ...counted(sockets),
    ...counted(argv),
    ...counted(Object.entries(env).map(([name, value]) => `${name}=${value}`)),
  ]
}

/** A wait status of the system; empty where nobody could see it. */
export function decodeStatus(status: string): Exit {
  if (status === '') return { code: null, signal: null }
  const number = Number(status)
  const signalNumber = number & 0x7f
  if (signalNumber === 0) return { code: (number >> 8) & 0xff, signal: null }
  const signal = Object.entries(constants.signals).find(([, value]) => value === signalNumber)?.[0]
  return { code: null, signal: signal ?? `SIG${signalNumber}` }
}
