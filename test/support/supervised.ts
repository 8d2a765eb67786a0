import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { connectSupervisor } from '../../src/control/client.ts'
import type { InstanceStatus, ProcessEvent } from '../../src/control/protocol.ts'
import type { Json } from '../../src/core/types.ts'
import { createProject, type ProjectFiles } from './project.ts'
import { type Finished, prodserver, type Running, startProdserver, waitUntil } from './running.ts'

/** Python that makes the settings' dictionary from what a test declares. */
const declaration = (processes: Readonly<Record<string, Json>>): string =>
  `import json\nPRODUCTION_PROCESSES = json.loads(${JSON.stringify(JSON.stringify(processes))})\n`

export interface SupervisedFiles extends ProjectFiles {
  readonly processes: Readonly<Record<string, Json>>
  readonly env?: Readonly<Record<string, string>>
  /** The program to run as prodserver. Default: the one that was built. */
  readonly bin?: string
}

/** A project with a supervisor of its own, whose state is in a folder of its own; both go with the test. */
export interface Supervised {
  readonly root: string
  readonly stateDir: string
  readonly env: Readonly<Record<string, string>>
  /** Any command of prodserver, to its end. */
  readonly cli: (...args: readonly string[]) => Promise<Finished>
  /** `up -d`, to its end; fails the test unless it exits with the code. */
  readonly up: (code?: number, ...args: readonly string[]) => Promise<Finished>
  /** `up` in the foreground. */
  readonly foreground: (...args: readonly string[]) => Running
  /** Replaces the declaration. */
  readonly declare: (processes: Readonly<Record<string, Json>>, settings?: string) => void
  /** The instances, as `ps --json` shows them. */
  readonly ps: () => Promise<readonly InstanceStatus[]>
  /** One line of it. */
  readonly instance: (id: string) => Promise<InstanceStatus>
  /** Waits until an instance is as described. */
  readonly waitFor: (
    id: string,
    fact: (status: InstanceStatus) => boolean,
    timeoutMs?: number,
  ) => Promise<InstanceStatus>
  readonly events: () => readonly ProcessEvent[]
  /** Pids of the supervisor and of its shim, read from its state; fails when it does not run. */
  readonly supervisor: () => Promise<{ pid: number; shimPid: number }>
  /** What the supervisor and its shim have logged, for the message of a failing test. */
  readonly log: () => string
  /** Everything that was started under this state directory and is still alive, whatever became of its parents. */
  readonly alive: () => readonly number[]
}

export function createSupervised(t: TestContext, files: SupervisedFiles): Supervised {
  const root = createProject(t, { ...files, settings: `${files.settings ?? ''}\n${declaration(files.processes)}` })
  const stateDir = mkdtempSync(join(tmpdir(), 'prodserver-state-'))
  const env = { ...environmentOf(stateDir), ...files.env }
  const options = { cwd: root, env, bin: files.bin }
  const settingsFile = join(root, 'mysite', 'settings.py')
  const base = readFileSync(settingsFile, 'utf8').replace(/import json\nPRODUCTION_PROCESSES = .*\n/, '')
  const cli = (...args: readonly string[]): Promise<Finished> => prodserver(t, args, options)
  const ps = async (): Promise<readonly InstanceStatus[]> =>
    (await askSupervisor(stateDir)) ?? (parseLines((await cli('ps', '--json')).stdout) as readonly InstanceStatus[])
  const instance = async (id: string): Promise<InstanceStatus> => {
    const all = await ps()
    const found = all.find((status) => status.instance === id)
    assert.ok(found, `ps shows ${id}, not only ${all.map((status) => status.instance).join(', ')}`)
    return found
  }
  t.after(() => {
    for (const pid of inhabitants(stateDir)) kill(pid)
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 })
  })
  return {
    root,
    stateDir,
    env,
    cli,
    up: async (code = 0, ...args) => {
      const finished = await cli('up', '-d', ...args)
      assert.equal(finished.code, code, finished.stdout + finished.stderr + logOf(stateDir))
      return finished
    },
    foreground: (...args) => startProdserver(t, ['up', ...args], options),
    declare: (processes, settings = '') =>
      writeFileSync(settingsFile, `${base}\n${settings}\n${declaration(processes)}`),
    ps,
    instance,
    waitFor: (id, fact, timeoutMs) => {
      let last: InstanceStatus | undefined
      return waitUntil(
        async () => {
          last = (await ps()).find((status) => status.instance === id)
          return last && fact(last) ? last : undefined
        },
        timeoutMs,
        () => `${id} is ${JSON.stringify(last)}\n${logOf(stateDir)}`,
      )
    },
    events: () => parseLines(readFileSync(join(stateDir, 'events.jsonl'), 'utf8')) as readonly ProcessEvent[],
    supervisor: async () => {
      assert.notEqual((await cli('ps', '--json')).stdout, '')
      const shimPid = pidRunning(stateDir, '/prodserver_shim/__main__.py')
      const pid = pidRunning(stateDir, 'supervisor.cjs')
      assert.ok(pid && shimPid, 'a supervisor in the background and its shim run')
      return { pid, shimPid }
    },
    log: () => logOf(stateDir),
    alive: () => inhabitants(stateDir),
  }
}

const environmentOf = (stateDir: string): Readonly<Record<string, string>> => ({
  PRODSERVER_STATE_DIR: stateDir,
  TEST_STATE_DIR: stateDir,
  // Python reuses compiled code if the source has the same second and size, which a test may change within a second.
  PYTHONDONTWRITEBYTECODE: '1',
})

/** Stops all with `down`, and asserts that nothing is left. */
export async function endAll({ cli, alive }: Pick<Supervised, 'cli' | 'alive'>): Promise<void> {
  const { code, stdout, stderr } = await cli('down')
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(alive(), [])
}

/**
 * Asks the supervisor what `ps` asks it, without the start of a program for each question: tests ask often while they
 * wait. Undefined if no supervisor answers.
 */
async function askSupervisor(stateDir: string): Promise<readonly InstanceStatus[] | undefined> {
  const client = await connectSupervisor(stateDir).catch(() => undefined)
  const snapshot = await client?.snapshot({ usage: true }).catch(() => undefined)
  return snapshot?.processes.flatMap(({ instances }) => instances)
}

/** Parses JSON Lines. */
const parseLines = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line))

/** Finds the process of a state directory that has an argument with this end. */
const pidRunning = (stateDir: string, end: string): number | undefined =>
  inhabitants(stateDir).find((pid) => wordsOf(pid).some((word) => word.endsWith(end)))

function logOf(stateDir: string): string {
  return ['supervisor.log', 'shim.log']
    .map((name) => join(stateDir, name))
    .filter(existsSync)
    .map((path) => readFileSync(path, 'utf8'))
    .join('')
}

/** Processes that have the test's own variable in their environment: what they start inherits it. */
export function inhabitants(stateDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`TEST_STATE_DIR=${stateDir}`)
      } catch {
        // It ended meanwhile, or is somebody else's.
        return false
      }
    })
}

function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Already gone, which is what is wanted.
  }
}
