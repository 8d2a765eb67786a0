import type { Json } from '../../core/types.ts'
import { isDictionary } from '../../core/values.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { Found } from '../found.ts'
import { jsonText } from '../text.ts'

/** The applications of an ecosystem file of PM2, from the value that it exports. */
export function readEcosystem(value: Json, file: string): readonly Found[] {
  const apps = isDictionary(value) ? value['apps'] : value
  const list = Array.isArray(apps) ? apps : [apps ?? null]
  return list.filter(isDictionary).flatMap((app): Found[] => {
    const script = text(app['script'])
    if (script === undefined) return []
    const name = text(app['name']) ?? script.replace(/^.*\//, '').replace(/\.\w+$/, '')
    const env = { ...dictionary(app['env']), ...dictionary(app['env_production']) }
    return [
      {
        name,
        from: file,
        command: [interpreterOf(app, script), quoteWord(script), ...argumentsOf(app['args'])].filter(Boolean).join(' '),
        cwd: text(app['cwd']),
        env: Object.fromEntries(Object.entries(env).map(([key, inner]) => [key, jsonText(inner)])),
        keys: keysOf(app),
      },
    ]
  })
}

/** PM2 runs a script by what its name ends with; a program without such an end is started as it is. */
function interpreterOf(app: { readonly [key: string]: Json }, script: string): string {
  const given = text(app['exec_interpreter']) ?? text(app['interpreter'])
  if (given !== undefined) return given === 'none' ? '' : given
  return /\.(c|m)?[jt]s$/.test(script) ? 'node' : script.endsWith('.py') ? 'python' : ''
}

function argumentsOf(args: Json | undefined): readonly string[] {
  if (Array.isArray(args)) return args.map((word) => quoteWord(jsonText(word)))
  return args === undefined || args === null ? [] : [jsonText(args)]
}

function keysOf(app: { readonly [key: string]: Json }): Found['keys'] {
  const { instances, max_memory_restart: memory, kill_timeout: kill, autorestart, cron_restart: cron } = app
  const count = instances === 'max' || instances === 0 || instances === -1 ? 'cpu' : Number(instances ?? 1)
  return {
    ...(count !== 1 && (count === 'cpu' || count > 0) && { INSTANCES: count }),
    ...(typeof memory === 'string' && { MEMORY_LIMIT: memory }),
    ...(typeof kill === 'number' && { STOP: { timeout: kill / 1000 } }),
    ...(autorestart === false && typeof cron !== 'string' && { RESTART: 'never' }),
    ...(typeof cron === 'string' && autorestart === false && { SCHEDULE: cron }),
  }
}

const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
const dictionary = (value: Json | undefined): { readonly [key: string]: Json } => (isDictionary(value) ? value : {})
