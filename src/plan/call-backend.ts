import { basename } from 'node:path'
import type {
  Backend,
  Command,
  CommandInput,
  Inherited,
  InheritedSockets,
  Workers,
  WorkersInput,
} from '../backends/backend.ts'
import type { Declaration } from '../config/declarations.ts'
import type { Result } from '../core/result.ts'
import { isOwn, ownFrames } from './resolve/own-backends.ts'

/** The answers of a backend about one process. */
interface BackendAnswers {
  readonly command: Command
  readonly listen: readonly string[]
  readonly workers: Workers
}

/** Asks the backend for the command line, the addresses and the number of processes. */
export function callBackend(
  declaration: Declaration,
  backend: Backend,
  input: { readonly command: CommandInput; readonly machine: WorkersInput },
): Result<BackendAnswers> {
  return guardedCall(
    declaration,
    () => ({
      command: backend.command(input.command),
      listen: backend.listen?.(input.machine) ?? [],
      workers: backend.workers?.(input.machine) ?? { processes: 1 },
    }),
    ({ command, listen }) => isCommand(command) && areTexts(listen),
    'command() must return { program, args }, and listen() a list of addresses',
  )
}

/** Asks the backend for the socket-passing argv; null if the backend has none for these options. */
export function callInherit(
  declaration: Declaration,
  backend: Backend,
  input: CommandInput,
  sockets: InheritedSockets,
): Result<Inherited | null> {
  return guardedCall(
    declaration,
    () => backend.inherit?.(input, sockets) ?? null,
    (inherited) => inherited === null || isCommand(inherited.command),
    'inherit() must return { command: { program, args } }, or undefined',
  )
}

/** Turns exceptions and wrong results of the project's own backends into problems. Built-in backends run unguarded. */
function guardedCall<T>(
  declaration: Declaration,
  call: () => T,
  isRight: (value: T) => boolean,
  rule: string,
): Result<T> {
  if (!isOwn(declaration)) return { value: call() }
  const reference = declaration.backend
  const at = { id: 'E209', place: declaration.placeOf('backend'), process: declaration.name } as const
  try {
    const value = call()
    if (isRight(value)) return { value }
    return { problem: { ...at, message: `${reference} is not a backend: ${rule}.` } }
  } catch (error) {
    const thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const details = error instanceof Error ? ownFrames(error, basename(reference)) : undefined
    return { problem: { ...at, message: `The backend ${reference} throws ${thrown}`, details } }
  }
}

const isCommand = (value: Partial<Command> | undefined): value is Command =>
  typeof value?.program === 'string' && areTexts(value.args)

const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')
