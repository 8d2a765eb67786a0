import { defined } from '../../core/defined.ts'
import { compact } from '../../core/lists.ts'
import { type Found, notesOf } from '../found.ts'
import { readCommandLine } from '../shell.ts'
import { splitAtEquals, type Text } from '../text.ts'
import { readSections } from './sections.ts'

const STARTS_BEFORE = 'ExecStartPre is left out: what it did can be a process of its own, with "RUN": "once"'

/** The program that a unit starts; nothing for a file that starts none. `name` is the unit's, without `.service`. */
export function readUnit(text: string, file: string, name: string): readonly Found[] {
  const service = readSections(text, 'backslash').find((section) => section.name === 'Service')
  const value = (key: string): string | undefined => service?.values.get(key)?.at(-1)
  // The characters before the program say how systemd starts it.
  const command = value('ExecStart')?.replace(/^[-@:+!|]+/, '')
  if (!service || !command) return []
  const user = value('User')
  const files = (service.values.get('EnvironmentFile') ?? []).map((path) => path.replace(/^-/, ''))
  const assignments = (service.values.get('Environment') ?? []).flatMap(
    (line): readonly Text[] => readCommandLine(`: ${line}`)?.[0]?.words.slice(1) ?? [],
  )
  return [
    {
      name: name.replace(/@$/, ''),
      from: `${file}:${service.line}`,
      command: command.replaceAll('%%', '%'),
      cwd: value('WorkingDirectory')?.replace(/^[-~]+/, '') || undefined,
      env: Object.fromEntries(
        assignments.flatMap((word) => [splitAtEquals(word)].filter((pair) => pair !== undefined)),
      ),
      envFile: files,
      keys: defined({
        RUN: value('Type') === 'oneshot' ? 'once' : undefined,
        RESTART: value('Restart') === 'on-failure' ? 'on-failure' : undefined,
      }),
      notes: compact([...notesOf(user, value('TimeoutStopSec')), value('ExecStartPre') ? STARTS_BEFORE : undefined]),
    },
  ]
}
