import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../src/core/types.ts'
import { ROOT } from './environment.ts'

interface MemberOptions {
  /** How long until it is ready, and how long its stop takes, in seconds. Default at once. */
  readonly ready?: number
  readonly stop?: number
}

/** A process that notes in the file `record`, in its project, when it starts, is ready, is to stop, and has gone. */
export const member = (
  name: string,
  { ready = 0, stop = 0 }: MemberOptions = {},
  declaration: Readonly<Record<string, Json>> = {},
): Readonly<Record<string, Json>> => ({
  BACKEND: 'command',
  APP: `bash ${join(ROOT, 'test', 'fixtures', 'member.sh')} record ${name} ${ready} ${stop}`,
  READY: { log: '^ready$' },
  ...declaration,
})

/** What the members of a project noted, in the order of time: `started web`. */
export function recordOf(root: string): readonly string[] {
  const path = join(root, 'record')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
}

/** Whether each of these was noted, one after the other, whatever was noted in between. */
export const inOrder = (record: readonly string[], ...lines: readonly string[]): boolean =>
  lines.every((line, index) => {
    const at = record.indexOf(line)
    return at >= 0 && (index === 0 || at > record.indexOf(lines[index - 1] as string))
  })
