import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BIN, measuredEnv } from '../../machine.ts'
import { type Contestant, type Job, ROTATE_BYTES, ROTATE_KEEP, Unavailable } from '../contestant.ts'
import { copyNode } from '../install.ts'
import { writeProject } from '../project.ts'

export const OURS = 'prodserver'
const BACKGROUND = 'prodserver -d'
const CONFIG_FILE = 'prodserver, config file'

/** In the foreground, in the background, and in the foreground with a config file in TypeScript and nothing of Django. */
export const VARIANTS = [OURS, BACKGROUND, CONFIG_FILE] as const

/** Ours: the built program, with a project whose settings import nothing, or with a config file alone. */
export const prodserver = (python: string, version: string, name: (typeof VARIANTS)[number]): Contestant => ({
  name,
  install() {
    const command = [copyNode(), BIN]
    const help = spawnSync(command[0] as string, [BIN, 'up', '--help'], { env: measuredEnv() })
    if (help.status !== 0) throw new Unavailable('this version has no `prodserver up`')
    return {
      version,
      restarts: true,
      configure(job) {
        const { folder, env } = job
        const project = join(folder, 'project')
        const settings = name === CONFIG_FILE ? writeConfigFile(project, job) : writeSettings(project, job)
        const own = { ...env, ...variables(folder, python), ...settings }
        const start = { argv: [...command, 'up'], cwd: project, env: own }
        return {
          start: name === BACKGROUND ? { ...start, argv: [...command, 'up', '-d'] } : start,
          ...(name === BACKGROUND && { stop: { ...start, argv: [...command, 'down'] } }),
          logs: { folder: join(folder, 'state', 'logs'), pattern: /^child\..*\.log$/ },
        }
      },
      configureWeb({ folder, env, project, port }) {
        const own = join(folder, 'project')
        cpSync(project, own, { recursive: true })
        const web = `{"BACKEND": "gunicorn", "ARGS": {"workers": 2, "bind": "127.0.0.1:${port}"}}`
        writeProject(own, { web })
        const start = { argv: [...command, 'up'], cwd: own, env: { ...env, ...variables(folder, python), ...DJANGO } }
        return { start, reload: { ...start, argv: [...command, 'reload', 'web'] }, how: '`prodserver reload`' }
      },
    }
  },
})

const DJANGO = { DJANGO_SETTINGS_MODULE: 'mysite.settings' }

function writeSettings(project: string, { argv, count }: Job): Readonly<Record<string, string>> {
  const log = `{"max_size": ${ROTATE_BYTES}, "keep": ${ROTATE_KEEP}, "compress": False}`
  writeProject(project, {
    child: `{"BACKEND": "command", "APP": ${JSON.stringify(argv.join(' '))}, "INSTANCES": ${count}, "RESTART": {"delay": 0}, "LOG": ${log}}`,
  })
  return DJANGO
}

function writeConfigFile(project: string, { argv, count }: Job): Readonly<Record<string, string>> {
  const log = { maxSize: ROTATE_BYTES, keep: ROTATE_KEEP, compress: false }
  const child = { backend: 'command', app: argv.join(' '), instances: count, restart: { delay: 0 }, log }
  const text = `import { defineConfig } from 'prodserver'\n\nexport default defineConfig(${JSON.stringify({ processes: { child } })})\n`
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'prodserver.config.ts'), text)
  return {}
}

const variables = (folder: string, python: string): Readonly<Record<string, string>> => ({
  PRODSERVER_PYTHON: python,
  PRODSERVER_STATE_DIR: join(folder, 'state'),
})
