import type { TestContext } from 'node:test'
import { hasProgram } from './environment.ts'
import { bootSystemd } from './systemd.ts'

/** A program that runs what an export has written. */
export interface Engine {
  readonly name: string
  readonly target: string
  /** Options of the export beside its folder. */
  readonly options: readonly string[]
  /** Whether the real program is here; where it is not, the test says so, and fails in CI. */
  readonly isHere: (t: TestContext) => boolean
  /** Which values the target may refuse. What it does not refuse must arrive. */
  readonly mayRefuse: (value: string) => boolean
  /** Starts all of the export in that folder; what it says of it is for a failing test. */
  readonly start: (t: TestContext, folder: string) => Promise<() => string>
}

export const ENGINES: readonly Engine[] = [
  {
    name: 'systemd',
    target: 'systemd',
    options: ['--name=hard'],
    isHere: canBoot,
    mayRefuse: (value) => /\p{Noncharacter_Code_Point}/u.test(value),
    start: async (t, folder) => {
      const systemd = await bootSystemd(t, folder)
      const { stderr } = await systemd.run('systemctl', 'start', 'hard.target')
      const { stdout } = await systemd.run('systemctl', '--no-pager', '--failed')
      return () => stderr + stdout
    },
  },
]

/** systemd itself, and the rights to give it a namespace of its own. */
export function canBoot(t: TestContext): boolean {
  if (process.getuid?.() === 0) return hasProgram(t, '../lib/systemd/systemd', 'apt-get install systemd')
  t.skip('a systemd of its own needs root')
  return false
}
