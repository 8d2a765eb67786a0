import { accessSync, constants, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import type { Option, Translation } from '../../args/translate.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import { printAddress } from '../../core/addresses.ts'
import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'

/** Files that options name: what is to be read must be there, and what is to be written must have a place. */
export function checkFiles(
  { options }: Translation,
  { files = {}, options: grammar = {}, title }: Backend,
  { declaration, cwd }: { declaration: Declaration; cwd: string },
): readonly Omit<Problem, 'process'>[] {
  // Who becomes another user may read and write other files than we may.
  const mode = declaration.user === undefined && declaration.group === undefined
  const isMoved = hasMoved(options)
  return options.flatMap((option) => {
    const name = grammar.short?.[option.name] ?? option.name
    const place = declaration.placeOf('args', option.key)
    return option.values.flatMap((value): Omit<Problem, 'process'>[] => {
      const path = pathOf(value)
      if (path === undefined || (isMoved && !isAbsolute(path))) return []
      const file = resolve(cwd, path)
      if (files.reads?.includes(name)) {
        const why = whyNotRead(file, mode)
        const message = `${title} cannot read ${file}: ${why}.`
        return why === null ? [] : [{ id: 'E306', place, message, hint: `Look: ls -l ${quoteWord(file)}` }]
      }
      if (!files.writes?.includes(name) && !files.owns?.includes(name)) return []
      const why = whyNotWritten(file, mode)
      const message = `${title} cannot write ${file}: ${why}.`
      return why === null ? [] : [{ id: 'E307', place, message, hint: `Look: ls -ld ${quoteWord(dirname(file))}` }]
    })
  })
}

/** A file that a process writes by itself, as it was declared. */
export interface WrittenFile {
  readonly file: string
  readonly process: string
  readonly place: string
  /** No other process may write it, such as a pid file. */
  readonly isOwned: boolean
  /** Several instances of the process write it. */
  readonly isShared: boolean
}

interface Writer {
  readonly declaration: Declaration
  readonly cwd: string
  /** Addresses: a Unix socket is none of the files that are written. */
  readonly listen: readonly string[]
}

export function writtenFiles(
  { options }: Translation,
  { files = {}, options: grammar = {} }: Backend,
  { declaration, cwd, listen }: Writer,
): readonly WrittenFile[] {
  if (declaration.enabled === false) return []
  const { name: process, instances = 1 } = declaration
  const isMoved = hasMoved(options)
  return options.flatMap((option) => {
    const name = grammar.short?.[option.name] ?? option.name
    const isOwned = files.owns?.includes(name) ?? false
    if (!isOwned && !files.writes?.includes(name)) return []
    return option.values.flatMap((value) => {
      const path = pathOf(value)
      if (path === undefined || (isMoved && !isAbsolute(path)) || listen.includes(printAddress({ path }))) return []
      const file = resolve(cwd, path)
      const isShared = instances === 'cpu' || instances > 1
      return isDevice(file)
        ? []
        : [{ file, process, place: declaration.placeOf('args', option.key), isOwned, isShared }]
    })
  })
}

/** `/dev/stdout` and the like may be written by everybody. */
const isDevice = (file: string): boolean => /^\/(dev|proc)\//.test(file)

/** Two that write one pid file, or one state, undo each other's work; in one log, nobody knows who has written what. */
export function checkShared(written: readonly WrittenFile[]): readonly Problem[] {
  return written.flatMap(({ file, process, place, isOwned, isShared }, index): Problem[] => {
    if (isOwned && isShared) {
      const hint = 'Leave the option out, or the INSTANCES'
      const message = `Each instance would write ${file}, and take it for its own.`
      return [{ id: 'E403', place, process, message, hint }]
    }
    const other = written.slice(0, index).find((before) => before.file === file)
    if (!other || (other.process === process && !isOwned)) return []
    const message = `It writes ${file}, and so does ${JSON.stringify(other.process)}.`
    const hint = 'Give each process a file of its own'
    return [{ id: isOwned || other.isOwned ? 'E403' : 'W402', place, process, message, hint }]
  })
}

/** It goes to another folder by itself, and from then on what is relative is relative to that. */
const hasMoved = (options: readonly Option[]): boolean =>
  options.some(({ name }) => name === 'chdir' || name === 'workdir')

/**
 * The path that a value names; undefined where it names none, such as `-` for the standard streams, a syslog, a module,
 * or a pattern that the program fills in.
 */
function pathOf(value: string): string | undefined {
  if (value === '' || value === '-' || /^(?!file:)[a-z]+:/i.test(value) || value.includes('%')) return undefined
  return value.replace(/^file:(\/\/)?/, '')
}

function whyNotRead(file: string, checksMode: boolean): string | null {
  try {
    const found = statSync(file)
    if (found.isDirectory()) return 'it is a folder'
    if (checksMode) accessSync(file, constants.R_OK)
    return null
  } catch (error) {
    return reasonOf(error, 'it does not exist')
  }
}

function whyNotWritten(file: string, checksMode: boolean): string | null {
  const folder = dirname(file)
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is no folder`
  } catch (error) {
    return reasonOf(error, `there is no folder ${folder}`)
  }
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.isDirectory()) return 'it is a folder'
  if (!checksMode) return null
  try {
    accessSync(found ? file : folder, constants.W_OK)
    return null
  } catch (error) {
    return reasonOf(error, 'it is gone')
  }
}

function reasonOf(error: unknown, missing: string): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return missing
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not'
  return code === 'EROFS' ? 'the file system is read-only' : message
}
