import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { InstanceStatus } from '../../src/control/protocol.ts'
import { type Example, type ExampleFiles, useExample } from './example.ts'
import { type Finished, prodserver, type StartOptions, waitUntil } from './running.ts'
import { inhabitants, kill } from './supervised.ts'

/** A supervisor of a project that is there already; it goes with the test. */
interface Supervision extends StartOptions {
  readonly stateDir: string
  /** Any command of prodserver, to its end. */
  readonly cli: (...args: readonly string[]) => Promise<Finished>
  readonly instance: (id: string) => Promise<InstanceStatus>
  /** Everything that was started under this supervisor and is still alive. */
  readonly alive: () => readonly number[]
}

/** The example project with a supervisor of its own; both go with the test. */
interface SupervisedExample extends Example, Supervision {
  /** Waits until the tasks have left that many lines. */
  readonly records: (count: number) => Promise<readonly string[]>
}

export function supervise(t: TestContext, project: StartOptions): Supervision {
  const stateDir = mkdtempSync(join(tmpdir(), 'prodserver-state-'))
  const env = { PRODSERVER_STATE_DIR: stateDir, TEST_STATE_DIR: stateDir }
  t.after(() => {
    for (const pid of inhabitants(stateDir)) kill(pid)
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 })
  })
  const options = { ...project, env: { ...project.env, ...env } }
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
    alive: () => inhabitants(stateDir),
  }
}

export function superviseExample(t: TestContext, files: ExampleFiles): SupervisedExample {
  const example = useExample(t, files)
  return {
    ...example,
    ...supervise(t, example),
    records: (count) =>
      waitUntil(
        () => (example.recorded().length >= count ? example.recorded().map(({ text }) => text) : undefined),
        30_000,
        () => `The tasks left ${JSON.stringify(example.recorded())}.`,
      ),
  }
}
