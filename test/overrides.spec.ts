import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { childrenOf, commandLineOf } from './support/processes.ts'
import { createProject } from './support/project.ts'
import { prodserver, run, startProdserver, waitUntil } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

const web = (port: number) => `
PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:${port}", "w": 1}, "ENV": {"COLOUR": "red"}},
}
`

test('run takes --set before and after the name, over the environment, over the declaration', async (t) => {
  const port = await freePort()
  const cwd = createProject(t, { settings: web(port) })
  const env = { PRODSERVER_WEB_ARGS_WORKERS: '3', PRODSERVER_WEB_ARGS_TIMEOUT: '45', PRODSERVER_WEB_ENV_MACHINE: 'a7' }
  const args = ['run', '--set', 'web.ENV.COLOUR=007', 'web', '--set=web.ARGS.workers=2', '--graceful-timeout=5']
  const server = startProdserver(t, args, { cwd, env })
  const { body } = await waitForHttp(server, { port }, '/?env=COLOUR&env=MACHINE&env=PRODSERVER_WEB_ARGS_WORKERS')
  // What is in our environment is in its environment, as everything there.
  assert.deepEqual((JSON.parse(body) as { env: object }).env, {
    COLOUR: '007',
    MACHINE: 'a7',
    PRODSERVER_WEB_ARGS_WORKERS: '3',
  })
  assert.deepEqual(commandLineOf(server.pid).slice(2), [
    `${commandLineOf(server.pid)[2]}`,
    `--bind=127.0.0.1:${port}`,
    '--timeout=45',
    '--workers=2',
    '--graceful-timeout=5',
    'mysite.wsgi:application',
  ])
  await waitUntil(() => childrenOf(server.pid).length === 2)
})

test('run without a name becomes the first that the overrides leave enabled', async (t) => {
  const settings = `PRODUCTION_PROCESSES = {
    "a": {"BACKEND": "command", "APP": "echo a"},
    "b": {"BACKEND": "command", "APP": "echo b"},
}`
  const cwd = createProject(t, { settings })
  const call = async (args: readonly string[], env = {}) =>
    (await prodserver(t, ['run', '-q', ...args], { cwd, env })).stdout
  assert.equal(await call([]), 'a\n')
  assert.equal(await call(['--set', 'a.ENABLED=False']), 'b\n')
  assert.equal(await call([], { PRODSERVER_A_ENABLED: 'false' }), 'b\n')
  assert.equal(await call(['--set', 'a.APP=echo "c  d"']), 'c  d\n')
})

test('what up --set gives holds over a reload, until the next up', async (t) => {
  const port = await freePort()
  const processes = {
    web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, workers: 1 }, STOP: { timeout: 5 } },
  }
  const site = createSupervised(t, { processes })
  const workers = async (): Promise<number> => {
    const { pid } = await site.instance('web.1')
    return waitUntil(() => childrenOf(pid as number).length || undefined).then(() =>
      Number(/--workers=(\d)/.exec(commandLineOf(pid as number).join(' '))?.[1]),
    )
  }
  await site.up(0, '--set', 'web.ARGS.workers=2', '--set', 'web.ENV.API_TOKEN=geheim')
  assert.equal(await workers(), 2)
  const first = await site.instance('web.1')

  const reloaded = await site.cli('reload', '--set', 'web.INSTANCES=2')
  assert.equal(reloaded.code, 0, reloaded.stderr)
  assert.match(reloaded.stderr, /^Kept until the next up: --set web\.ARGS\.workers, --set web\.ENV\.API_TOKEN\n/)
  assert.doesNotMatch(reloaded.stdout + reloaded.stderr, /geheim/)
  assert.equal(await workers(), 2)
  assert.notEqual((await site.instance('web.1')).pid, first.pid)
  assert.equal((await site.ps()).length, 2)

  const again = await site.cli('reload', '--set', 'web.ARGS.workers=3')
  assert.match(again.stderr, /^Kept until the next up: --set web\.ENV\.API_TOKEN, --set web\.INSTANCES\n/)
  assert.equal(await workers(), 3)

  await site.up()
  assert.equal(await workers(), 1)
  assert.equal((await site.ps()).length, 1)
})

test("a backend class of the project's own is constructed with the overrides", async (t) => {
  const files = {
    'mysite/backends.py': `from django_prodserver.backends.gunicorn import GunicornServer
from django_prodserver.backends.base import BaseServerBackend


class Prepared(GunicornServer):
    def prep_server_args(self):
        return [*super().prep_server_args(), "--name=prepared"]


class Own(BaseServerBackend):
    def start_server(self, *args):
        import os

        print(sorted(args), os.environ.get("PRODSERVER_OVERRIDES"))
`,
  }
  const settings = `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "mysite.backends.Prepared", "ARGS": {"workers": 2, "bind": "127.0.0.1:1"}},
    "own": {"BACKEND": "mysite.backends.Own", "ARGS": {"a": "1", "b": "2"}},
}`
  const options = { cwd: createProject(t, { files, settings }), env: { PYTHONPATH: `${ROOT}/python` } }
  const shown = await prodserver(t, ['show', 'web', '--json', '--set', 'web.ARGS.workers=5'], options)
  const { processes } = JSON.parse(shown.stdout) as { processes: readonly { argv: readonly string[] }[] }
  assert.deepEqual(processes[0]?.argv.slice(3), [
    '--workers=5',
    '--bind=127.0.0.1:1',
    '--name=prepared',
    'mysite.wsgi:application',
  ])
  const ran = await prodserver(t, ['run', '-q', 'own', '--set=own.ARGS.a=9', '--set=own.ARGS.b=null'], options)
  assert.deepEqual([ran.stdout, ran.code], ["['--a=9'] None\n", 0], ran.stderr)
})

test('manage.py prodserver takes --set as well', async (t) => {
  const settings = `INSTALLED_APPS += ["django_prodserver"]
PRODUCTION_PROCESSES = {"a": {"BACKEND": "command", "APP": "echo a"}, "b": {"BACKEND": "command", "APP": "echo b"}}`
  const options = { cwd: createProject(t, { settings }), env: { PYTHONPATH: `${ROOT}/python` } }
  const call = async (...args: readonly string[]) => {
    const { stdout, stderr } = await run(t, PYTHON, ['manage.py', 'prodserver', ...args], options)
    return stdout + stderr.replace(/^\w+: .*\n/, '')
  }
  assert.equal(await call('b', '--set', 'b.APP=echo c', '--no-color', 'd'), 'c d\n')
  assert.equal(await call('--set=a.ENABLED=false', '--set=b.ARGS.e=1'), 'b -e 1\n')
})

test('a secret that --set gives is hidden wherever it is shown', async (t) => {
  const cwd = createProject(t, { settings: web(8000) })
  const set = ['--set', 'web.ENV.API_TOKEN=geheim', '--set', 'web.ENV.URL=redis://u:geheim@h', '--set', 'web.ENV.KEY=1']
  for (const command of [['show'], ['show', '--json'], ['list', '--json'], ['check'], ['check', '--json']]) {
    const { stdout, stderr } = await prodserver(t, [...command, ...set], { cwd })
    assert.doesNotMatch(stdout + stderr, /geheim/, command.join(' '))
  }
})
