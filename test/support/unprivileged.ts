import type { TestContext } from 'node:test'
import { BIN, PYTHON } from './environment.ts'
import { type Finished, run } from './running.ts'

/** Root may read everything by two of its capabilities: without them it is a user like others. */
const WITHOUT = ['--bounding-set=-dac_override,-dac_read_search']

/** Runs `prodserver` as somebody whom the modes of files bind. */
export function unprivileged(t: TestContext, args: readonly string[], cwd: string): Promise<Finished> {
  const command = [process.execPath, BIN, ...args]
  const words = process.getuid?.() === 0 ? ['setpriv', ...WITHOUT, ...command] : command
  return run(t, words[0] as string, words.slice(1), { cwd, env: { PRODSERVER_PYTHON: PYTHON } })
}
