import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Bytes, inMemory, type OpenFile, openIfThere } from './bytes.ts'
import type { LogContent } from './lines.ts'
import { type Mark, TimeIndex } from './time-index.ts'

/** Where the logs lie in a state directory. */
export const logsDirectory = (stateDir: string): string => join(stateDir, 'logs')

/** A log file by its name: `web.1.log`, or a full one, `web.1.7.log` or `web.1.7.log.gz`. */
export interface LogFile {
  readonly instance: string
  /** Grows from file to file; undefined for the one that is written to now. */
  readonly sequence: number | undefined
  readonly isCompressed: boolean
  /** Without `.log`: what the index is called by as well. */
  readonly base: string
}

/** The log files in a folder, an instance's own in the order in which they were begun. */
export function listLogFiles(stateDir: string): readonly LogFile[] {
  return parseNames(namesIn(logsDirectory(stateDir)))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The instances that have a log. */
export function listInstances(stateDir: string): readonly string[] {
  return [...new Set(listLogFiles(stateDir).map(({ instance }) => instance))].toSorted(byInstance)
}

/** `web.2` before `web.10`. */
function byInstance(a: string, b: string): number {
  return processOf(a).localeCompare(processOf(b)) || numberOf(a) - numberOf(b) || a.localeCompare(b)
}

/** The process that an instance is one of: `web` of `web.1`. */
export const processOf = (instance: string): string => instance.replace(/\.\d+$/, '')
const numberOf = (instance: string): number => Number(/\.(\d+)$/.exec(instance)?.[1] ?? 0)

function parseNames(names: readonly string[]): readonly LogFile[] {
  const known = new Set(names)
  const isCurrent = (base: string): boolean => known.has(`${base}.log`) || known.has(`${base}.idx`)
  const files = names.flatMap((name): LogFile[] => {
    const match = /^(?<base>.+)\.log(?<gz>\.gz)?$/.exec(name)
    const base = match?.groups?.['base']
    if (base === undefined) return []
    const isCompressed = match?.groups?.['gz'] !== undefined
    // Where both are there, compressing has not come to its end.
    if (isCompressed && known.has(`${base}.log`)) return []
    const [, before = '', number] = /^(.+)\.(\d+)$/.exec(base) ?? []
    // `web.1.log` is an instance, and `web.1.7.log` a full file of it, even in the moment when `web.1.log` is not there.
    const isFull = number !== undefined && (isCurrent(before) || /\.\d+$/.test(before))
    return [{ instance: isFull ? before : base, sequence: isFull ? Number(number) : undefined, isCompressed, base }]
  })
  return files.toSorted((a, b) => byInstance(a.instance, b.instance) || order(a) - order(b))
}

const order = ({ sequence }: LogFile): number => sequence ?? Number.POSITIVE_INFINITY

/** An open log file. The caller closes it. */
export interface OpenLog extends LogContent {
  readonly file: LogFile
  readonly inode: number
  /** Looks for what has been written to it since. False where it has been renamed before its index was found. */
  readonly refresh: () => boolean
  /** It is called so now. */
  readonly renamed: (file: LogFile) => void
  /** It has no name any more: no more will be written to it, or nobody is meant to read it. */
  readonly isRemoved: () => boolean
  readonly close: () => void
}

/** Which file has the name now; undefined where none has. */
export const inodeOf = (stateDir: string, { base }: LogFile): number | undefined =>
  inodeAt(join(logsDirectory(stateDir), `${base}.log`))

const inodeAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/** The instances that a file in the folder of the logs may be of, by its name alone. */
export function instancesNamed(name: string): readonly string[] {
  const base = name.replace(/\.(log|idx)(\.gz)?$/, '')
  return [base, processOf(base)]
}

/** Opens a log file, which may have been compressed meanwhile; undefined where it is no longer there. */
export function openLog(stateDir: string, file: LogFile): OpenLog | undefined {
  const log = file.isCompressed ? undefined : openUncompressed(stateDir, file)
  if (log || file.sequence === undefined) return log
  return openCompressed(join(logsDirectory(stateDir), file.base), file)
}

/** The same, where it has not been compressed. */
export function openUncompressed(stateDir: string, file: LogFile): OpenLog | undefined {
  let path = join(logsDirectory(stateDir), file.base)
  const log = openIfThere(`${path}.log`)
  if (!log) return undefined
  let marks = openIndexOf(path, log)
  let index = new TimeIndex(marks)
  return {
    file,
    instance: file.instance,
    bytes: log,
    get index() {
      return index
    },
    modifiedMs: log.modifiedMs(),
    inode: log.inode,
    isRemoved: log.isRemoved,
    refresh: () => {
      if (marks) index.refresh()
      // It is made after the log, and before anything is written to the log.
      else if ((marks = openIndexOf(path, log))) index = new TimeIndex(marks)
      return marks !== undefined || inodeAt(`${path}.log`) === log.inode || log.isRemoved()
    },
    renamed: ({ base }) => void (path = join(logsDirectory(stateDir), base)),
    close: () => {
      log.close()
      marks?.close()
    },
  }
}

/** The index of a log, if the log still has that name: after a rotation, another log has it. */
function openIndexOf(path: string, log: OpenFile): OpenFile | undefined {
  const marks = openIfThere(`${path}.idx`) ?? openRenamedIndex(path)
  if (inodeAt(`${path}.log`) === log.inode) return marks
  marks?.close()
  return undefined
}

/** In the middle of a rotation, the index has its number already, and its log has not. */
function openRenamedIndex(path: string): OpenFile | undefined {
  const known = new Set(namesIn(dirname(path)))
  const prefix = `${basename(path)}.`
  const numbers = [...known]
    .filter((name) => name.startsWith(prefix) && name.endsWith('.idx') && !known.has(name.replace(/idx$/, 'log')))
    .map((name) => Number(name.slice(prefix.length, -'.idx'.length)))
    .filter((number) => Number.isInteger(number) && !known.has(`${prefix}${number}.log.gz`))
  return numbers.length > 0 ? openIfThere(`${path}.${Math.max(...numbers)}.idx`) : undefined
}

/** Its whole text is held in memory: it is read backwards, and in pieces. */
function openCompressed(path: string, file: LogFile): OpenLog | undefined {
  const packed = openIfThere(`${path}.log.gz`)
  if (!packed) return undefined
  try {
    const { gunzipSync, constants } = process.getBuiltinModule('node:zlib')
    // One that was cut off has as much as there is.
    const text = gunzipSync(packed.read(0, packed.size()), { finishFlush: constants.Z_SYNC_FLUSH })
    return {
      file,
      instance: file.instance,
      bytes: inMemory(text),
      index: readIndex(path),
      modifiedMs: packed.modifiedMs(),
      inode: packed.inode,
      refresh: () => true,
      renamed: () => {},
      isRemoved: () => false,
      close: () => {},
    }
  } finally {
    packed.close()
  }
}

/** What a file holds, as far as its index tells without opening it; undefined where it does not. */
export interface LogRange {
  readonly first: Mark
  readonly last: Mark
}

export function rangeOf(stateDir: string, file: LogFile): LogRange | undefined {
  const marks = openIfThere(join(logsDirectory(stateDir), `${file.base}.idx`))
  if (!marks) return undefined
  try {
    const index = new TimeIndex(marks)
    return index.count === 0 ? undefined : { first: index.at(0), last: index.at(index.count - 1) }
  } finally {
    marks.close()
  }
}

function readIndex(path: string): TimeIndex {
  const marks = openIfThere(`${path}.idx`) ?? openRenamedIndex(path)
  if (!marks) return new TimeIndex(undefined)
  try {
    const bytes: Bytes = inMemory(marks.read(0, marks.size()))
    return new TimeIndex(bytes)
  } finally {
    marks.close()
  }
}
