import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, ROTATE_BYTES, ROTATE_KEEP } from '../contestant.ts'
import { installPython, pythonVersion } from '../install.ts'

export const circus: Contestant = {
  name: 'Circus',
  install() {
    const bin = installPython('circus')
    return {
      version: pythonVersion(bin, 'circus'),
      restarts: true,
      note: 'In the crash contest it looks for its children every 10 ms; by default, as in all others, it does every 5 s.',
      configure({ folder, env, argv, count, restart = false }) {
        const config = join(folder, 'circus.ini')
        const watcher = `[watcher:child]
cmd = ${argv.join(' ')}
numprocesses = ${count}
copy_env = True
warmup_delay = 0
max_retry = -1
stdout_stream.class = FileStream
stdout_stream.filename = ${folder}/logs/child.log
stdout_stream.max_bytes = ${ROTATE_BYTES}
stdout_stream.backup_count = ${ROTATE_KEEP}
`
        writeFileSync(config, `${general(folder)}${restart ? 'check_delay = 0.01\n' : ''}${watcher}`)
        return {
          start: { argv: [join(bin, 'circusd'), config], cwd: folder, env },
          logs: { folder: join(folder, 'logs'), pattern: /^child/ },
        }
      },
      configureWeb({ folder, env, python, project, port }) {
        const config = join(folder, 'circus.ini')
        const web = `[watcher:web]
cmd = ${python} -m gunicorn --workers 2 --bind fd://$(circus.sockets.web) mysite.wsgi
working_dir = ${project}
copy_env = True
use_sockets = True
[socket:web]
host = 127.0.0.1
port = ${port}
`
        writeFileSync(config, general(folder) + web)
        const control = [join(bin, 'circusctl'), '--endpoint', `ipc://${folder}/endpoint`]
        return {
          start: { argv: [join(bin, 'circusd'), config], cwd: folder, env },
          reload: { argv: [...control, 'reload', 'web', '--waiting'], cwd: folder, env },
          how: '`circusctl reload`, with a socket of Circus',
        }
      },
    }
  },
}

const general = (folder: string): string => `[circus]
endpoint = ipc://${folder}/endpoint
pubsub_endpoint = ipc://${folder}/pubsub
statsd = False
`
