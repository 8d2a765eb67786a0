import type { Problem } from '../../core/errors.ts'
import { type WrittenFile, writtenFiles } from '../written-files.ts'
import type { Check } from './check.ts'

/** A pid file or a state file has one writer, and so has a log. */
export const sharedFiles: Check = {
  when: 'always',
  find: ({ processes }) => {
    const written = processes.flatMap(writtenFiles)
    return written.flatMap((file, index) => sharedFile(file, written.slice(0, index)))
  },
}

function sharedFile(written: WrittenFile, earlier: readonly WrittenFile[]): readonly Problem[] {
  const { file, process, place, isOwned, isShared } = written
  if (isOwned && isShared) {
    const message = `Each instance would write ${file}, and take it for its own.`
    return [{ id: 'E403', place, process, message, hint: 'Leave the option out, or the INSTANCES' }]
  }
  const other = earlier.find((before) => before.file === file)
  if (!other || (other.process === process && !isOwned)) return []
  const message = `It writes ${file}, and so does ${JSON.stringify(other.process)}.`
  const hint = 'Give each process a file of its own'
  return [{ id: isOwned || other.isOwned ? 'E403' : 'W402', place, process, message, hint }]
}
