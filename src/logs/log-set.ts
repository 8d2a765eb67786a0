import { type LogFile, listLogFiles, type OpenLog, openLog } from './log-files.ts'

/** The log files of some instances at one moment. */
export interface LogSet {
  readonly files: readonly LogFile[]
  /** Those that are written to now. */
  readonly current: ReadonlyMap<LogFile, OpenLog>
  readonly close: () => void
}

/** Rotations that are waited for before reading goes on with what there is. */
const ATTEMPTS = 20

/**
 * Finds the log files of the wanted instances, and opens those that are written to: whatever they are called later,
 * they stay the same. Full files keep their names, and are opened when they are read. The caller closes it.
 */
export function openLogSet(stateDir: string, wants: (instance: string) => boolean): LogSet {
  for (let attempt = 1; ; attempt++) {
    const all = listLogFiles(stateDir)
    const files = all.filter(({ instance }) => wants(instance))
    const current = new Map<LogFile, OpenLog>()
    for (const file of files.filter(({ sequence }) => sequence === undefined)) {
      const log = openLog(stateDir, file)
      if (log) current.set(file, log)
    }
    const close = (): void => {
      for (const log of current.values()) log.close()
    }
    // A rotation in between would have hidden a file: it had its new name after, and its old one before.
    if (namesOf(listLogFiles(stateDir)) === namesOf(all) || attempt === ATTEMPTS) return { files, current, close }
    close()
  }
}

const namesOf = (files: readonly LogFile[]): string =>
  files.map(({ base, isCompressed }) => `${base}${isCompressed ? '.gz' : ''}`).join('\n')
