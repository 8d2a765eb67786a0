import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, ROTATE_BYTES, ROTATE_KEEP, Unavailable } from '../contestant.ts'
import { debianLibraries, debianVersion, installDebian } from '../install.ts'
import { logFolder, writeServices } from './service-folders.ts'

/** Its programs find each other here, wherever they are. */
const BUILT_IN = '/usr/bin'

export const s6: Contestant = {
  name: 's6',
  install() {
    const root = installDebian('s6')
    const bin = join(root, 'usr', 'bin')
    const enter = existsSync(join(BUILT_IN, 's6-supervise')) ? [] : seenAtItsPlace(bin)
    return {
      version: debianVersion(root, 's6'),
      restarts: true,
      ...(enter.length > 0 && { note: 'Its starts have 5 ms in them that let it run without being installed.' }),
      configure(job) {
        const { folder, env, count } = job
        const logger = `${join(bin, 's6-log')} -b n${ROTATE_KEEP} s${ROTATE_BYTES}`
        return {
          start: {
            argv: [
              ...enter,
              join(bin, 's6-svscan'),
              '-c',
              String(Math.max(count * 2, 100)),
              writeServices(job, logger),
            ],
            cwd: folder,
            env: { ...env, LD_LIBRARY_PATH: debianLibraries(root) },
          },
          logs: { folder: logFolder(folder, 1), pattern: /^(current|@.*)$/ },
        }
      },
    }
  },
}

/**
 * What makes a command see it where it belongs, without installing it: a mount that only that command and what it
 * starts know of. That takes 5 ms of each start.
 */
function seenAtItsPlace(bin: string): readonly string[] {
  const mount = `mount -t overlay overlay -o lowerdir='${bin}:${BUILT_IN}' ${BUILT_IN} && exec "$@"`
  const enter = ['unshare', '--mount', 'sh', '-c', mount, 'sh']
  if (spawnSync(enter[0] as string, [...enter.slice(1), 'true']).status !== 0)
    throw new Unavailable(`it must be installed in ${BUILT_IN}: apt-get install s6`)
  return enter
}
