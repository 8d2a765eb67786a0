import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { logsDirectory } from '../logs/log-files.ts'
import type { FileSystem, MachineFacts } from '../plan/machine.ts'
import { readEnvironMark } from '../supervisor/procfs/process-table.ts'
import { MARK, markOf, placeOf } from '../supervisor/procfs/descendant-cleanup.ts'
import { readPorts } from './ports.ts'

/** Where the system tells; a test has its own. */
interface Sources {
  readonly proc?: string
  readonly cgroups?: string
}

/**
 * Reads the free resources of this machine. Resources that the project's processes use already count as free, because
 * the checks count these processes as well.
 */
export function readMachine(usable: number, stateDir: string, sources: Sources = {}): MachineFacts {
  const { proc = '/proc', cgroups = '/sys/fs/cgroup' } = sources
  return {
    stateDir,
    ports: readPorts(stateDir, proc),
    logBytes: logBytes(stateDir),
    fileSystemOf,
    processors: { usable: Math.min(usable, readQuota(proc, cgroups)), all: Math.max(cpus().length, usable) },
    memory: readMemory(stateDir, proc, cgroups),
    openFiles: readOpenFiles(proc),
  }
}

function readMemory(stateDir: string, proc: string, cgroups: string): MachineFacts['memory'] {
  const available = numberAfter(readText(`${proc}/meminfo`), /^MemAvailable:\s+(\d+)/m)
  if (available === undefined) return null
  const limits = [{ bytes: available * 1024, limitedBy: null }, ...memoryLimits(proc, cgroups)]
  const { bytes, limitedBy } = limits.reduce((least, limit) => (limit.bytes < least.bytes ? limit : least))
  return { bytes: bytes + ownMemory(stateDir, proc), limitedBy }
}

interface Limit {
  readonly bytes: number
  readonly limitedBy: string
}

/** What each control group above us leaves. What is only kept for faster reading is given back when it is needed. */
function memoryLimits(proc: string, cgroups: string): readonly Limit[] {
  return groupsOf('memory', proc, cgroups).flatMap((folder) => {
    for (const [limit, usage, cache] of [
      ['memory.max', 'memory.current', /^inactive_file (\d+)/m],
      ['memory.limit_in_bytes', 'memory.usage_in_bytes', /^total_inactive_file (\d+)/m],
    ] as const) {
      const most = Number.parseInt(readText(join(folder, limit)), 10)
      if (!(most > 0)) continue
      const used = Number.parseInt(readText(join(folder, usage)), 10) || 0
      const kept = numberAfter(readText(join(folder, 'memory.stat')), cache) ?? 0
      return [{ bytes: Math.max(0, most - used + kept), limitedBy: join(folder, limit) }]
    }
    return []
  })
}

/** The processors that control groups leave; infinite where they leave all. */
function readQuota(proc: string, cgroups: string): number {
  const quotas = groupsOf('cpu', proc, cgroups).flatMap((folder) => {
    const [most, period] = readText(join(folder, 'cpu.max')).split(/\s+/).map(Number)
    if (most && period) return most / period
    const quota = Number(readText(join(folder, 'cpu.cfs_quota_us')))
    return quota > 0 ? quota / Number(readText(join(folder, 'cpu.cfs_period_us')) || 100_000) : []
  })
  return Math.max(1, Math.floor(Math.min(...quotas, Number.POSITIVE_INFINITY)))
}

/** The folders of our control group and of those above it, in either version. Inside a container ours is the root. */
function groupsOf(controller: string, proc: string, cgroups: string): readonly string[] {
  const folders = readText(`${proc}/self/cgroup`)
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      if (controllers === '') return above(path).map((group) => join(cgroups, group))
      return controllers.split(',').includes(controller)
        ? above(path).map((group) => join(cgroups, controller, group))
        : []
    })
  return [...new Set(folders)]
}

const above = (path: string): readonly string[] => {
  const parts = path.split('/').filter(Boolean)
  return [...parts.keys(), parts.length].map((count) => parts.slice(0, count).join('/'))
}

/** Memory of what this project's supervisor runs. */
function ownMemory(stateDir: string, proc: string): number {
  const mark = markOfFolder(stateDir)
  if (mark === undefined) return 0
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name) && readEnvironMark(Number(name), MARK, proc)?.startsWith(mark))
    .reduce((sum, pid) => sum + (numberAfter(readText(`${proc}/${pid}/status`), /^RssAnon:\s+(\d+)/m) ?? 0) * 1024, 0)
}

function markOfFolder(stateDir: string): string | undefined {
  try {
    return markOf(placeOf(stateDir), '')
  } catch {
    return undefined
  }
}

function readOpenFiles(proc: string): MachineFacts['openFiles'] {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readText(`${proc}/self/limits`)) ?? []
  return soft === undefined || hard === undefined ? null : { soft: parseLimit(soft), hard: parseLimit(hard) }
}

/** `unlimited` is infinite. */
const parseLimit = (text: string): number => (text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text))

/** The one that a path is on, or would be. */
export function fileSystemOf(path: string): FileSystem {
  try {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(path)
    const isOutOfFiles = files > 0 && ffree === 0
    return { id: statSync(path).dev, folder: path, freeBytes: bavail * bsize, sizeBytes: blocks * bsize, isOutOfFiles }
  } catch (error) {
    if (dirname(path) === path) throw error
    return fileSystemOf(dirname(path))
  }
}

/** What the logs in a state directory take already. */
export function logBytes(stateDir: string): number {
  try {
    const folder = logsDirectory(stateDir)
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  } catch {
    // There is none yet.
    return 0
  }
}

const numberAfter = (text: string, pattern: RegExp): number | undefined => {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
