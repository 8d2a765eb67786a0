/** Folders of services, as runit and s6 read them: one for each child, with a logger of its own. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from '../contestant.ts'

/** @param logger - the command that stores what it reads; it gets the folder to store it in as its last word. */
export function writeServices({ folder, argv, count }: Job, logger: string): string {
  const services = join(folder, 'services')
  for (let number = 1; number <= count; number++) {
    const service = join(services, `child-${number}`)
    mkdirSync(join(service, 'log'), { recursive: true })
    writeScript(join(service, 'run'), `exec 2>&1\nexec ${argv.join(' ')}`)
    writeScript(join(service, 'log', 'run'), `exec ${logger} ${logFolder(folder, number)}`)
    mkdirSync(logFolder(folder, number), { recursive: true })
  }
  // runit waits for a second where a folder was changed in this one: it might change again.
  utimesSync(services, 0, 0)
  return services
}

export const logFolder = (folder: string, number: number): string => join(folder, 'stored', String(number))

const writeScript = (path: string, lines: string): void => writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
