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

for (const args of [['check'], ['check', '--quick'], ['report'], ['up', '-d'], ['export', 'systemd', '--user=shop']]) {
  test(`${args.join(' ')} refuses limits that do not exist and values that cannot be set`, async (t) => {
    const keys = '"LIMITS": {"nofiles": 1, "nofile": "many", "core": "2:1", "fsize": "infinity", "CPU": -1}'
    const cwd = createProject(t, { settings: declare(keys) })
    const { stdout, stderr, code } = await prodserver(t, args, { cwd })
    const refused = [...`${stdout}${stderr}`.matchAll(/^(E\d+) {2}\S+\["LIMITS"\]\["(\w+)"\]/gm)]
    assert.deepEqual(
      refused.map(([, id, name]) => [id, name]),
      ['nofiles', 'nofile', 'core'].map((name) => ['E107', name]),
    )
    assert.equal(code, 4)
  })
}

test('run takes every way to write a limit', onlyRoot, async (t) => {
  const keys = '"LIMITS": {"NOFILE": "1000:2000", "core": "infinity", "fsize": -1, "rss": "unlimited", "locks": 7}'
  const report = 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -f; grep locks /proc/self/limits'
  const cwd = createProject(t, { settings: declare(keys).replace(REPORT, report) })
  const { stdout, stderr, code } = await prodserver(t, ['report'], { cwd })
  assert.equal(code, 0, stderr)
  const [soft, , core, fsize, locks] = stdout.trim().split('\n')
  assert.deepEqual([soft, core, fsize], ['1000', 'unlimited', 'unlimited'])
  assert.match(locks ?? '', /^Max file locks\s+7\s+7\s/)
})

/** Another user must be able to enter the project. */
function readable(root: string): string {
  chmodSync(root, 0o755)
  return root
}
