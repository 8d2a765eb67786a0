import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { copyNode } from '../install.ts'

/** No process manager: what Node alone takes once it has started one child, as a yardstick. */
export const bareNode: Contestant = {
  name: 'bare `node`',
  install() {
    const node = copyNode()
    return {
      version: process.versions.node,
      restarts: false,
      configure({ folder, env, argv }) {
        const script = `require('node:child_process').spawn(${JSON.stringify(argv[0])}, ${JSON.stringify(argv.slice(1))})`
        const stopping = "process.on('SIGTERM', () => { child.kill(); process.exit() })"
        return {
          start: { argv: [node, '-e', `const child = ${script}; ${stopping}`], cwd: folder, env },
          logs: { folder: join(folder, 'logs') },
        }
      },
    }
  },
}
