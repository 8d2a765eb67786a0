import { isAbsolute, resolve } from 'node:path'
import { longName } from '../args/grammar.ts'
import type { Option } from '../args/translate.ts'
import type { ProcessFacts } from './facts.ts'
import type { ResolvedProcess } from './resolve/resolved-process.ts'

/** A file that an option names. */
interface NamedFile {
  readonly path: string
  readonly option: Option
  /** The full name of the option. */
  readonly name: string
}

/** Files that the options of a process name, without those whose folder is unknown. */
export function namedFiles({ translation, backend, cwd }: ResolvedProcess): readonly NamedFile[] {
  const { options } = translation
  // The program changes its working directory, so a relative path starts at an unknown folder.
  const isMoved = options.some(({ name }) => name === 'chdir' || name === 'workdir')
  return options.flatMap((option) => {
    const name = longName(option.name, backend.options ?? {})
    return option.values.flatMap((value) => {
      const path = pathOf(value)
      return path === undefined || (isMoved && !isAbsolute(path)) ? [] : [{ path: resolve(cwd, path), option, name }]
    })
  })
}

/**
 * The path that a value names; undefined if it names none, such as `-` for the standard streams, a syslog, a module, or a
 * pattern that the program fills in.
 */
function pathOf(value: string): string | undefined {
  if (value === '' || value === '-' || /^(?!file:)[a-z]+:/i.test(value) || value.includes('%')) return undefined
  return value.replace(/^file:(\/\/)?/, '')
}

/** A file that a process writes itself. */
export interface WrittenFile {
  readonly file: string
  readonly process: string
  readonly place: string
  /** Whether no other process may write it, as with a pid file. */
  readonly isOwned: boolean
  /** Whether several instances of the process write it. */
  readonly isShared: boolean
}

/** Files that a planned process writes, without devices and its own Unix sockets. */
export function writtenFiles({ declaration, resolved, command }: ProcessFacts): readonly WrittenFile[] {
  if (!resolved || !command || declaration.enabled === false) return []
  const { name: process, instances = 1 } = declaration
  const { writes = [], owns = [] } = resolved.backend.files ?? {}
  return namedFiles(resolved)
    .filter(({ name }) => owns.includes(name) || writes.includes(name))
    .filter(({ path }) => !isDevice(path) && !command.listen.includes(`unix:${path}`))
    .map(({ path, option, name }) => ({
      file: path,
      process,
      place: declaration.placeOf('args', option.key),
      isOwned: owns.includes(name),
      isShared: instances === 'cpu' || instances > 1,
    }))
}

/** `/dev/stdout` and the like, which any process may write. */
const isDevice = (file: string): boolean => /^\/(dev|proc)\//.test(file)
