import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { InstanceStatus } from '../../src/control/protocol.ts'
import { type Example, type ExampleFiles, useExample } from './example.ts'
import { type Finished, prodserver, waitUntil } from './running.ts'
import { inhabitants, kill } from './supervised.ts'

/** The example project with a supervisor of its own; both go with the test. */
export interface SupervisedExample extends Example {
  readonly stateDir: string
  /** Any command of prodserver, to its end. */
  readonly cli: (...args: readonly string[]) => Promise<Finished>
  readonly instance: (id: string) => Promise<InstanceStatus>
  /** Waits until the tasks have left that many lines. */
  readonly records: (count: number) => Promise<readonly string[]>
  /** Everything that was started under this supervisor and is still alive. */
  readonly alive: () => readonly number[]
}

export function superviseExample(t: TestContext, files: ExampleFiles): SupervisedExample {
  const stateDir = mkdtempSync(join(tmpdir(), 'prodserver-state-'))
  const env = { PRODSERVER_STATE_DIR: stateDir, PRODSERVER_TEST_STATE: stateDir }
  const example = useExample(t, files)
  t.after(() => {
    for (const pid of inhabitants(stateDir)) kill(pid)
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 })
  })
  const options = { ...example, env: { ...example.env, ...env } }
  const cli = (...args: readonly string[]): Promise<Finished> => prodserver(t, args, options)
  return {
    ...options,
    stateDir,
    cli,
    instance: async (id) => {
      const { stdout } = await cli('ps', '--json')
      const all = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as InstanceStatus)
      const found = all.find(({ instance }) => instance === id)
      if (!found) throw new Error(`ps does not show ${id}: ${stdout}`)
      return found
    },
    records: (count) =>
      waitUntil(
        () => (example.recorded().length >= count ? example.recorded().map(({ text }) => text) : undefined),
        30_000,
        () => `The tasks left ${JSON.stringify(example.recorded())}.`,
      ),
    alive: () => inhabitants(stateDir),
  }
}
