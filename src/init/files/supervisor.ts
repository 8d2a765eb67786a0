import { defined } from '../../core/defined.ts'
import { parseDurationMs, printDuration } from '../../core/durations.ts'
import { type Found, notesOf } from '../found.ts'
import type { Text } from '../text.ts'
import { readCommandLine } from '../shell.ts'
import { readSections } from './sections.ts'

/** The programs of a configuration of Supervisor. */
export const readSupervisor = (text: string, file: string): readonly Found[] =>
  readSections(text, 'indent').flatMap(({ name, line, values }): Found[] => {
    const [, program] = /^(?:program|fcgi-program):(.+)$/.exec(name) ?? []
    const value = (key: string): string | undefined => values.get(key)?.at(-1)
    const command = value('command')
    if (program === undefined || command === undefined) return []
    const instances = Number(value('numprocs') ?? 1)
    const user = value('user')
    const stopWaitMs = parseDurationMs(value('stopwaitsecs') ?? '')
    return [
      {
        name: program,
        from: `${file}:${line}`,
        command: toShell(command),
        cwd: value('directory'),
        env: readEnvironment(value('environment') ?? ''),
        keys: defined({
          INSTANCES: instances > 1 ? instances : undefined,
          ENABLED: value('autostart') === 'false' ? false : undefined,
          RESTART: restartPolicy(value('autorestart')),
        }),
        notes: notesOf(user, stopWaitMs === undefined ? undefined : printDuration(stopWaitMs)),
      },
    ]
  })

/** Translates Supervisor's restart policy; undefined for the one that is the default of both programs. */
function restartPolicy(autorestart: string | undefined): string | undefined {
  if (autorestart === 'false') return 'never'
  return autorestart === 'unexpected' ? 'on-failure' : undefined
}

/** Supervisor's own references are those to its environment; `%%` is a percent sign. */
const toShell = (text: string): string =>
  text.replace(/%\(ENV_(\w+)\)s/g, (_, name: string) => `\${${name}}`).replaceAll('%%', '%')

/** `KEY="value",OTHER=value`. */
function readEnvironment(text: string): Readonly<Record<string, Text>> {
  const pairs = [...text.matchAll(/(\w+)\s*=\s*("[^"]*"|'[^']*'|[^,\s]+)/g)]
  return Object.fromEntries(
    pairs.flatMap(([, key = '', value = '']) => {
      const word = readCommandLine(toShell(value))?.[0]?.words[0]
      return word === undefined ? [] : [[key, word]]
    }),
  )
}
