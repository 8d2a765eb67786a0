import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { installPython, pythonVersion } from '../install.ts'

export const honcho: Contestant = {
  name: 'honcho',
  install() {
    const bin = installPython('honcho')
    return {
      version: pythonVersion(bin, 'honcho'),
      restarts: false,
      logLines: 100_000,
      configure({ folder, env, argv, count }) {
        writeFileSync(join(folder, 'Procfile'), `child: exec ${argv.join(' ')}\n`)
        return {
          start: { argv: [join(bin, 'honcho'), 'start', '-c', `child=${count}`], cwd: folder, env },
          logs: { folder: join(folder, 'logs') },
        }
      },
    }
  },
}
