import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import type { Proposal } from '../../../init/index.ts'
import { type ReadContext, readProject } from '../../read-project.ts'

/** Where a proposed declaration can go. */
export interface Destination {
  /** The file that is changed or made. */
  readonly file: string
  readonly render: (processes: readonly Proposal[]) => string
  /**
   * Puts the text there, and reads it again as every command does: what cannot be read then is taken back.
   *
   * @throws {ProdserverError} with nothing changed
   */
  readonly write: (text: string) => Promise<void>
}

/** At the end of the settings. */
export async function settingsDestination(file: string, context: ReadContext): Promise<Destination> {
  const { renderPython } = await import('../../../init/index.ts')
  const before = readFileSync(file, 'utf8')
  return {
    file,
    render: (processes) => renderPython(processes, /^import os$/m.test(before)),
    write: async (text) => {
      save(file, before + gapAfter(before) + text)
      try {
        const { answer } = await readProject(context)
        if (answer.settings['PRODUCTION_PROCESSES'] === undefined) throw notSeen(file, answer.settingsModule)
      } catch (error) {
        save(file, before)
        throw error
      }
    },
  }
}

/** A config file of its own, for a project without Django. */
export async function configDestination(root: string, context: ReadContext): Promise<Destination> {
  const { renderConfig } = await import('../../../init/index.ts')
  const file = join(root, 'prodserver.config.ts')
  return {
    file,
    render: renderConfig,
    write: async (text) => {
      if (existsSync(file)) throw cannotWrite(file, 'it is there already')
      save(file, text)
      try {
        await readProject(context)
      } catch (error) {
        rmSync(file, { force: true })
        throw error
      }
    },
  }
}

/** The line breaks that leave one blank line after a text. */
function gapAfter(text: string): string {
  if (text === '' || text.endsWith('\n\n')) return ''
  return text.endsWith('\n') ? '\n' : '\n\n'
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw cannotWrite(file, (error as Error).message)
  }
}

function cannotWrite(file: string, why: string): ProdserverError {
  const hint = 'Print it, and add it by hand: prodserver init'
  return new ProdserverError([{ id: 'E804', place: file, message: `It cannot be written: ${why}.`, hint }], EXIT.failed)
}

function notSeen(file: string, place: string): ProdserverError {
  const message = `PRODUCTION_PROCESSES at the end of ${file} does not reach the settings; the file is as it was.`
  const hint = 'Add it by hand where the settings come from: prodserver init'
  return new ProdserverError([{ id: 'E101', place, message, hint }], EXIT.failed)
}
