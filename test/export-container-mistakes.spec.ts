import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PYTHON } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

interface Mistake {
  readonly target: string
  /** What `PRODUCTION_PROCESSES` is. */
  readonly processes: string
  readonly options?: readonly string[]
  /** All that is shown. */
  readonly shows: string
}

/** What no engine of containers could run as it is declared: refused, and no file is written. */
const MISTAKES: Readonly<Record<string, Mistake>> = {
  'a web server listens where nobody outside of its container reaches it': {
    target: 'compose',
    processes: '{"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8000"}}}',
    shows: `E802  PRODUCTION_PROCESSES["web"]["ARGS"]
      It listens on 127.0.0.1:8000, which nobody outside of its container can reach.
      → Let it listen on 0.0.0.0 in the container; its engine says who can reach that
`,
  },
  'two names are one for Compose': {
    target: 'compose',
    processes: '{"a b": {"BACKEND": "command", "APP": "true"}, "a-b": {"BACKEND": "command", "APP": "true"}}',
    shows: `E802  PRODUCTION_PROCESSES["a-b"]
      In Compose its name is a-b, and so is that of "a b".
      → Give it another name
`,
  },
  'nothing of a name is left': {
    target: 'compose',
    processes: '{"世界": {"BACKEND": "command", "APP": "true"}}',
    shows: `E802  PRODUCTION_PROCESSES["世界"]
      Compose allows no character of this name.
      → Give it another name
`,
  },
}

for (const [name, { target, processes, options = [], shows }] of Object.entries(MISTAKES)) {
  test(name, async (t) => {
    const cwd = createProject(t, {
      settings: `PRODUCTION_PROCESSES = ${processes}`,
      files: { Dockerfile: 'FROM scratch\n' },
    })
    const { code, stdout, stderr } = await prodserver(t, ['export', target, '--python', PYTHON, ...options], { cwd })
    assert.equal(stderr, shows)
    assert.deepEqual([code, stdout], [4, ''])
  })
}
