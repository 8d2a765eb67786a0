import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { BIN, measuredEnv } from '../../machine.ts'
import { type Contestant, ROTATE_BYTES, ROTATE_KEEP, Unavailable } from '../contestant.ts'
import { copyNode } from '../install.ts'
import { writeProject } from '../project.ts'

export const OURS = 'prodserver'
export const BACKGROUND = 'prodserver -d'

/**
 * Ours: the built program, with a project whose settings import nothing.
 *
 * @param inBackground - `up -d`; otherwise `up`, which also prints what the children write.
 */
export const prodserver = (python: string, version: string, inBackground = false): Contestant => ({
  name: inBackground ? BACKGROUND : OURS,
  install() {
    const command = [copyNode(), BIN]
    const help = spawnSync(command[0] as string, [BIN, 'up', '--help'], { env: measuredEnv() })
    if (help.status !== 0) throw new Unavailable('this version has no `prodserver up`')
    return {
      version,
      restarts: true,
      configure({ folder, env, argv, count }) {
        const project = join(folder, 'project')
        const log = `{"max_size": ${ROTATE_BYTES}, "keep": ${ROTATE_KEEP}, "compress": False}`
        writeProject(project, {
          child: `{"BACKEND": "command", "APP": ${JSON.stringify(argv.join(' '))}, "INSTANCES": ${count}, "RESTART": {"delay": 0}, "LOG": ${log}}`,
        })
        const start = { argv: [...command, 'up'], cwd: project, env: { ...env, ...variables(folder, python) } }
        return {
          start: inBackground ? { ...start, argv: [...command, 'up', '-d'] } : start,
          ...(inBackground && { stop: { ...start, argv: [...command, 'down'] } }),
          logs: { folder: join(folder, 'state', 'logs'), pattern: /^child\..*\.log$/ },
        }
      },
      configureWeb({ folder, env, project, port }) {
        const own = join(folder, 'project')
        cpSync(project, own, { recursive: true })
        const web = `{"BACKEND": "gunicorn", "ARGS": {"workers": 2, "bind": "127.0.0.1:${port}"}}`
        writeProject(own, { web })
        const start = { argv: [...command, 'up'], cwd: own, env: { ...env, ...variables(folder, python) } }
        return { start, reload: { ...start, argv: [...command, 'reload', 'web'] }, how: '`prodserver reload`' }
      },
    }
  },
})

const variables = (folder: string, python: string): Record<string, string> => ({
  PRODSERVER_PYTHON: python,
  PRODSERVER_STATE_DIR: join(folder, 'state'),
  DJANGO_SETTINGS_MODULE: 'mysite.settings',
})
