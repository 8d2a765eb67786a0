import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Json } from '../../src/core/types.ts'
import { quoteWord } from '../../src/core/shell-words.ts'
import { PYTHON } from './environment.ts'
import { createProject, type ProjectFiles } from './project.ts'
import type { Finished } from './running.ts'

/** Values that a shell, a template or a careless join would change. */
export const HARD = [
  'two words',
  ' ',
  '',
  `it's`,
  '"quoted"',
  `'both' "kinds"`,
  '100 %d %(name)s %%',
  '$HOME ${HOME} $(id) `id`',
  'a\nb\r\n\tc',
  '\\n \\ \\\\',
  '*?[a-z]{x,y}~',
  '; & | < > # !',
  'ünïcödé 日本 🦄',
  '--looks=like an option',
  '=',
]

/** A project that declares these processes. */
export function declare(
  t: TestContext,
  processes: Readonly<Record<string, Json>>,
  { settings = '', files = {} }: ProjectFiles = {},
): string {
  // A JSON string is also a Python one.
  const declaration = `import json\nPRODUCTION_PROCESSES = json.loads(${JSON.stringify(JSON.stringify(processes))})`
  return createProject(t, { settings: `${declaration}\n${settings}`, files: { 'record.py': RECORDER, ...files } })
}

/** What a program sees, as bytes where that matters. */
const RECORDER = `
import json
import os
import sys

words = [os.fsencode(word).hex() for word in sys.argv[1:]]
print(json.dumps({"argv": words, "env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid()}))
`

/** A process that runs it: with these options, after these words. */
export const recorder = (args: Json = {}, words = ''): { readonly [key: string]: Json } => ({
  BACKEND: 'command',
  APP: `${quoteWord(PYTHON)} record.py ${words}`,
  ARGS: args,
})

export interface Recorded {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly pid: number
}

export function recorded({ stdout, stderr }: Finished): Recorded {
  assert.notEqual(stdout, '', stderr)
  const seen = JSON.parse(stdout) as Recorded
  return {
    ...seen,
    argv: seen.argv.map((word) => new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(word, 'hex'))),
  }
}
