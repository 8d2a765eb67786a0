/** What the example needs beside Django where its database or its queue is a server. */
import { join } from 'node:path'
import { ask, run } from './command.mjs'
import { root } from './environment.mjs'
import { pipEnvironment, pipInstall } from './python-environment.mjs'
import { say, step } from './steps.mjs'

const services = [
  {
    variable: 'DATABASE_URL',
    url: /^postgres/,
    name: 'PostgreSQL',
    module: 'psycopg',
    file: 'requirements-postgresql.txt',
  },
  { variable: 'CELERY_BROKER_URL', url: /^rediss?:/, name: 'Redis', module: 'redis', file: 'requirements-redis.txt' },
]

/** @param {import('./python-environment.mjs').EnvironmentRecord} record */
export async function ensureServicePackages({ python }) {
  for (const { variable, url, name, module, file } of services) {
    if (!url.test(process.env[variable] ?? '')) continue
    if (ask([python, '-c', `import ${module}`]) === undefined) {
      const requirements = join(root, 'scripts', file)
      await step(`installing what Python needs for ${name} (pip, scripts/${file})`, () =>
        run(`pip-${module}`, [...pipInstall(python), '-r', requirements], { env: pipEnvironment() }),
      )
    }
    say(`using ${name}, as ${variable} says`)
  }
}
