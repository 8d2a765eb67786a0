import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, ROTATE_BYTES, ROTATE_KEEP } from '../contestant.ts'
import { installPython, pythonVersion } from '../install.ts'

export const supervisor: Contestant = {
  name: 'Supervisor',
  install() {
    const bin = installPython('supervisor')
    return {
      version: pythonVersion(bin, 'supervisor'),
      restarts: true,
      configure({ folder, env, argv, count }) {
        const config = join(folder, 'supervisord.conf')
        // startsecs: with any other value a child that ends within that time waits longer and longer.
        const program = `[program:child]
command=${argv.join(' ')}
process_name=%(program_name)s_%(process_num)s
numprocs=${count}
startsecs=0
autorestart=true
redirect_stderr=true
stdout_logfile=${folder}/logs/%(program_name)s_%(process_num)s.log
stdout_logfile_maxbytes=${ROTATE_BYTES}
stdout_logfile_backups=${ROTATE_KEEP}
`
        writeFileSync(config, general(folder) + program)
        return {
          start: { argv: [join(bin, 'supervisord'), '-c', config], cwd: folder, env },
          logs: { folder: join(folder, 'logs'), pattern: /^child_/ },
        }
      },
    }
  },
}

const general = (folder: string): string => `[supervisord]
nodaemon=true
directory=${folder}
logfile=${folder}/supervisord.log
pidfile=${folder}/supervisord.pid
minfds=8192
[unix_http_server]
file=${folder}/supervisor.sock
[supervisorctl]
serverurl=unix://${folder}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
`
