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
  if (given === 'none') return ''
  if (given !== undefined) return given
  if (/\.(c|m)?[jt]s$/.test(script)) return 'node'
  return script.endsWith('.py') ? 'python' : ''
}

function argumentsOf(args: Json | undefined): readonly string[] {
  if (Array.isArray(args)) return args.map((word) => quoteWord(jsonText(word)))
  return args === undefined || args === null ? [] : [jsonText(args)]
}

function keysOf(app: { readonly [key: string]: Json }): Found['keys'] {
  const { instances, max_memory_restart: memory, kill_timeout: kill, autorestart, cron_restart: cron } = app
  const keys: Record<string, Json> = {}
  const count = instanceCount(instances ?? 1)
  if (count !== undefined) keys['INSTANCES'] = count
  if (typeof memory === 'string') keys['MEMORY_LIMIT'] = memory
  if (typeof kill === 'number') keys['STOP'] = { timeout: kill / 1000 }
  if (autorestart === false && typeof cron === 'string') keys['SCHEDULE'] = cron
  else if (autorestart === false) keys['RESTART'] = 'never'
  return keys
}

/** Translates PM2's number of instances; undefined if it is the default, 1, or no number. */
function instanceCount(instances: Json): number | 'cpu' | undefined {
  if (instances === 'max' || instances === 0 || instances === -1) return 'cpu'
  const count = Number(instances)
  return count > 0 && count !== 1 ? count : undefined
}

const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
const dictionary = (value: Json | undefined): { readonly [key: string]: Json } => (isDictionary(value) ? value : {})
