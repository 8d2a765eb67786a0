import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Json } from '../../src/core/types.ts'
import { EXAMPLE, PYTHON } from './environment.ts'
import { run, type Running, type StartOptions, waitUntil } from './running.ts'

export interface ExampleFiles {
  readonly processes: Readonly<Record<string, Json>>
  /** Lines added at the end of the settings. */
  readonly settings?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A line that a task left: what it was given, and the process that executed it. */
export interface Recorded {
  readonly text: string
  readonly pid: number
}

/** The example project under settings that import its own, the way of a production environment. */
export interface Example extends StartOptions {
  /** The file that its tasks write to. */
  readonly record: string
  readonly recorded: () => readonly Recorded[]
  /** Waits until the tasks have left that many lines. */
  readonly waitForRecords: (count: number, worker: Running) => Promise<readonly Recorded[]>
  /** Runs `manage.py` to its end, which must be a good one. */
  readonly manage: (...args: string[]) => Promise<string>
  /** Runs Python code in the project, with Django set up. */
  readonly python: (code: string) => Promise<string>
}

export function useExample(t: TestContext, { processes, settings = '', env = {} }: ExampleFiles): Example {
  const data = mkdtempSync(join(tmpdir(), 'prodserver-example-'))
  t.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 3 }))
  writeFileSync(
    join(data, 'production.py'),
    `import json
from mysite.settings import *

PRODUCTION_PROCESSES = json.loads(r'''${JSON.stringify(processes)}''')
${settings}
`,
  )
  const options: StartOptions = {
    cwd: EXAMPLE,
    env: { DJANGO_SETTINGS_MODULE: 'production', PYTHONPATH: data, DATA_DIR: data, ...env },
  }
  const record = join(data, 'record.txt')
  const recorded = (): readonly Recorded[] =>
    existsSync(record)
      ? [...readFileSync(record, 'utf8').matchAll(/^(.*) pid=(\d+)\n/gm)].map(([, text = '', pid]) => ({
          text,
          pid: Number(pid),
        }))
      : []
  const python = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(t, PYTHON, args, options)
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}.\n${stdout}${stderr}`)
    return stdout
  }
  return {
    ...options,
    record,
    recorded,
    waitForRecords: (count, worker) =>
      waitUntil(
        () => (recorded().length >= count ? recorded() : undefined),
        30_000,
        () => `The tasks left ${JSON.stringify(recorded())}.\n${worker.output()}`,
      ),
    manage: (...args) => python('manage.py', ...args),
    python: (code) => python('-c', `import django\ndjango.setup()\n${code}`),
  }
}
