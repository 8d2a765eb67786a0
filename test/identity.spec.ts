import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { test } from 'node:test'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

const REPORT = 'id -u; id -g; umask; nice; ulimit -Sn; echo $HOME'

const declare = (keys: string): string =>
  `PRODUCTION_PROCESSES = {"report": {"BACKEND": "command", "APP": "sh -c '${REPORT}'", ${keys}}}`

const isRoot = process.getuid?.() === 0
const onlyRoot = isRoot ? {} : { skip: 'only root may become another user' }

test('a process has the declared user, group, umask, priority and limits', onlyRoot, async (t) => {
  const keys = '"USER": "nobody", "UMASK": "027", "NICE": 5, "LIMITS": {"nofile": "1000:2000"}'
  const { stdout, code } = await prodserver(t, ['report'], {
    cwd: readable(createProject(t, { settings: declare(keys) })),
  })
  assert.equal(code, 0)
  assert.deepEqual(stdout.trim().split('\n').slice(0, 5), ['65534', '65534', '0027', '5', '1000'])
  assert.notEqual(stdout.trim().split('\n')[5], process.env['HOME'])
})

test('a group may be another than the user has', onlyRoot, async (t) => {
  const cwd = readable(createProject(t, { settings: declare('"USER": "nobody", "GROUP": "daemon"') }))
  const { stdout } = await prodserver(t, ['report'], { cwd })
  assert.deepEqual(stdout.split('\n').slice(0, 2), ['65534', '1'])
})

test('a user that does not exist is refused', onlyRoot, async (t) => {
  const cwd = createProject(t, { settings: declare('"USER": "nobody-of-that-name"') })
  const { stderr, stdout, code } = await prodserver(t, ['-q', 'report'], { cwd })
  assert.match(stderr, /^E505 {2}PRODUCTION_PROCESSES\["report"\]\["USER"\]\n.*there is no user nobody-of-that-name/m)
  assert.deepEqual({ stdout, code }, { stdout: '', code: 1 })
})

test('a limit that does not exist is refused', onlyRoot, async (t) => {
  const cwd = createProject(t, { settings: declare('"LIMITS": {"nofiles": 1}') })
  const { stderr, code } = await prodserver(t, ['report'], { cwd })
  assert.match(stderr, /^E505 {2}PRODUCTION_PROCESSES\["report"\]\["LIMITS"\]/m)
  assert.equal(code, 1)
})

/** Another user must be able to enter the project. */
function readable(root: string): string {
  chmodSync(root, 0o755)
  return root
}
