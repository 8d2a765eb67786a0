import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, ROTATE_BYTES, ROTATE_KEEP } from '../contestant.ts'
import { debianVersion, installDebian } from '../install.ts'
import { logFolder, writeServices } from './service-folders.ts'

export const runit: Contestant = {
  name: 'runit',
  install() {
    const root = installDebian('runit')
    const bin = join(root, 'usr', 'bin')
    return {
      version: debianVersion(root, 'runit'),
      restarts: true,
      configure(job) {
        const { folder, env, count } = job
        const services = writeServices(job, join(bin, 'svlogd'))
        for (let number = 1; number <= count; number++)
          writeFileSync(join(logFolder(folder, number), 'config'), `s${ROTATE_BYTES}\nn${ROTATE_KEEP}\n`)
        return {
          start: {
            argv: [join(bin, 'runsvdir'), services],
            cwd: folder,
            env: { ...env, PATH: `${bin}:${env['PATH']}` },
          },
          // SIGTERM would end it alone, and leave all services as they are.
          stop: 'SIGHUP',
          logs: { folder: logFolder(folder, 1), pattern: /^(current|@.*)$/ },
        }
      },
    }
  },
}
