import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant, Job, WebJob } from '../contestant.ts'
import { copyNode, installNode } from '../install.ts'

export const pm2: Contestant = {
  name: 'PM2',
  install() {
    const module = installNode('pm2')
    const pm2 = [copyNode(), join(module, 'bin', 'pm2')]
    const { version } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8')) as { version: string }
    const commands = ({ folder, env }: Job | WebJob, app: object) => {
      const config = join(folder, 'ecosystem.config.json')
      writeFileSync(config, JSON.stringify({ apps: [{ interpreter: 'none', exec_mode: 'fork', ...app }] }))
      // Its daemon lives in this folder, apart from any other of this user, and asks nobody about new versions.
      const own = { ...env, PM2_HOME: join(folder, 'pm2'), PM2_DISABLE_VERSION_CHECK: 'true' }
      const command = (...args: readonly string[]) => ({ argv: [...pm2, ...args], cwd: folder, env: own })
      return { start: command('start', config), stop: command('kill'), reload: command('reload', 'app') }
    }
    return {
      version,
      restarts: true,
      note: 'It has no rotation without a module of its own.',
      configure(job) {
        const logs = join(job.folder, 'logs')
        const [script, ...args] = job.argv
        const files = { out_file: join(logs, 'child.log'), error_file: join(logs, 'child.log'), merge_logs: true }
        const { start, stop } = commands(job, { name: 'app', script, args, instances: job.count, ...files })
        return { start, stop, logs: { folder: logs, pattern: /^child/ } }
      },
      configureWeb(job) {
        const args = ['-m', 'gunicorn', '--workers', '2', '--bind', `127.0.0.1:${job.port}`, 'mysite.wsgi']
        const app = { name: 'app', script: job.python, args, cwd: job.project }
        return { ...commands(job, app), how: '`pm2 reload`' }
      },
    }
  },
}
