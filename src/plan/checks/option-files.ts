import { dirname } from 'node:path'
import { quoteWord } from '../../core/shell-words.ts'
import type { FactsHere } from '../facts.ts'
import { namedFiles } from '../written-files.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

/** Files that options name can be read, and written, on this machine. */
export const optionFiles: Check<'here'> = {
  when: 'here',
  find: eachResolved<FactsHere>((process, { disk }) => {
    const { declaration, backend } = process
    const { reads = [], writes = [], owns = [] } = backend.files ?? {}
    // A process that becomes another user has other permissions.
    const asThisUser = declaration.user === undefined && declaration.group === undefined
    return namedFiles(process).flatMap(({ path, option, name }): readonly ProcessProblem[] => {
      const place = declaration.placeOf('args', option.key)
      if (reads.includes(name)) {
        const why = disk.whyUnreadable(path, asThisUser)
        const message = `${backend.title} cannot read ${path}: ${why}.`
        return why === null ? [] : [{ id: 'E306', place, message, hint: `Look: ls -l ${quoteWord(path)}` }]
      }
      if (!writes.includes(name) && !owns.includes(name)) return []
      const why = disk.whyUnwritable(path, asThisUser)
      const message = `${backend.title} cannot write ${path}: ${why}.`
      return why === null ? [] : [{ id: 'E307', place, message, hint: `Look: ls -ld ${quoteWord(dirname(path))}` }]
    })
  }),
}
