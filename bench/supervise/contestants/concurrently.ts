import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { copyNode, installNode } from '../install.ts'

export const concurrently: Contestant = {
  name: 'concurrently',
  install() {
    const module = installNode('concurrently')
    const { version, bin } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8')) as {
      version: string
      bin: string | { concurrently: string }
    }
    const program = join(module, typeof bin === 'string' ? bin : bin.concurrently)
    return {
      version,
      restarts: true,
      note: 'It restarts in the crash contest only: told to, it also restarts what it has stopped, and never ends.',
      configure({ folder, env, argv, count, restart = false }) {
        // It has no configuration file: commands are its arguments.
        const commands = Array.from({ length: count }, () => `exec ${argv.join(' ')}`)
        const restarting = restart ? ['--restart-tries', '-1', '--restart-after', '0'] : []
        return {
          start: { argv: [copyNode(), program, ...restarting, ...commands], cwd: folder, env },
          logs: { folder: join(folder, 'logs') },
        }
      },
    }
  },
}
