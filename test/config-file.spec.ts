import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PYTHON } from './support/environment.ts'
import { recordInterpreters } from './support/mistakes.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { createProject, type ProjectFiles, writeFiles } from './support/project.ts'
import { prodserver, run, startProdserver } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

const SERVER = `import { createServer } from 'node:http'

const port = Number(process.argv.at(-1).split('=')[1])
const body = JSON.stringify({ pid: process.pid, word: process.env.WORD, settings: process.env.DJANGO_SETTINGS_MODULE })
createServer((_, response) => response.end(body)).listen(port, '127.0.0.1')
`
const config = (port: number, word: string, more = ''): string => `import { defineConfig } from 'prodserver'
import { type Word, words } from './words.ts'

console.log('noise')

const word: Word = '${word}'

export default defineConfig(async () => ({
  processes: {
    frontend: { backend: 'node', app: 'server.mjs', args: { port: ${port} }, env: { WORD: words[word] }, ready: { tcp: ${port} } },
    ${more}
  },
  defaults: { stop: { timeout: '5s' } },
}))
`
const words = (one: string): string =>
  `export type Word = 'one'\n\nexport const words: Record<Word, string> = { one: '${one}' }\n`

/** A folder with nothing of Django in it. */
const ALONE: ProjectFiles['files'] = { 'manage.py': null, 'server.mjs': SERVER }

test('a config file alone is all that a supervisor needs, and each reload reads it and what it imports afresh', async (t) => {
  const port = await freePort()
  const first = { 'prodserver.config.ts': config(port, 'one'), 'words.ts': words('first') }
  const { root, cli, up, ps, supervisor } = createSupervised(t, { processes: {}, files: { ...ALONE, ...first } })
  await up()
  const before = JSON.parse((await httpGet({ port })).body) as { pid: number; word: string; settings?: string }
  assert.deepEqual({ word: before.word, settings: before.settings }, { word: 'first', settings: undefined })
  const [status] = await ps()
  assert.deepEqual(
    { instance: status?.instance, pid: status?.pid, state: status?.state },
    { instance: 'frontend.1', pid: before.pid, state: 'running' },
  )
  const running = await supervisor()

  writeFileSync(join(root, 'words.ts'), words('second'))
  assert.equal((await cli('reload')).code, 0)
  const after = JSON.parse((await httpGet({ port })).body) as { pid: number; word: string }
  assert.equal(after.word, 'second')

  const more = `clock: { backend: 'command', app: 'sleep 1000' },`
  writeFileSync(join(root, 'prodserver.config.ts'), config(port, 'one', more))
  assert.equal((await cli('reload')).code, 0)
  assert.deepEqual(
    (await ps()).map(({ instance, state }) => [instance, state]),
    [
      ['frontend.1', 'running'],
      ['clock.1', 'running'],
    ],
  )

  // What cannot be read changes nothing.
  writeFileSync(join(root, 'prodserver.config.ts'), 'export default {')
  const refused = await cli('reload')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^E014 {2}.*prodserver\.config\.ts:1\n/)
  assert.deepEqual(await supervisor(), running)
  assert.equal((await cli('down')).code, 0)
})

test('with a config file alone Python is not started', async (t) => {
  const port = await freePort()
  const files = { ...ALONE, 'prodserver.config.ts': config(port, 'one'), 'words.ts': words('x'), 'sub/empty': '' }
  const cwd = join(createProject(t, { files }), 'sub')
  const { env, started } = recordInterpreters(t)
  const names = await prodserver(t, ['list', '--names'], { cwd, env })
  assert.deepEqual(names, { code: 0, stdout: 'frontend\n', stderr: '' })
  const checked = await prodserver(t, ['check'], { cwd, env })
  assert.deepEqual(checked, { code: 0, stdout: 'No problems in 1 process: frontend.\n', stderr: '' })
  const shown = await prodserver(t, ['show', '--json'], { cwd, env })
  const { project, processes } = JSON.parse(shown.stdout) as {
    project: object
    processes: { place: string; argvFrom: string[]; from: { stop: string } }[]
  }
  const root = join(cwd, '..')
  assert.deepEqual(project, {
    root,
    settings: null,
    python: null,
    config: { path: join(root, 'prodserver.config.ts'), reason: 'the project' },
  })
  assert.equal(processes[0]?.place, 'processes.frontend')
  assert.deepEqual(processes[0]?.argvFrom.slice(1), ['processes.frontend.app', 'processes.frontend.args.port'])
  assert.deepEqual(processes[0]?.from.stop, 'defaults.stop')
  const server = startProdserver(t, ['run', 'frontend'], { cwd, env })
  const { body } = await waitForHttp(server, { port })
  assert.equal((JSON.parse(body) as { pid: number }).pid, server.pid)
  assert.deepEqual(started(), [])

  const dev = await prodserver(t, ['dev'], { cwd, env })
  assert.deepEqual([dev.code, dev.stderr.split('\n')[0]], [1, `E001  ${root}`])
})

test('a config file adds its processes to those of the settings, and manage.py starts them as well', async (t) => {
  const port = await freePort()
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:0"}}}'
  const beat = `api: { backend: 'uvicorn', dependsOn: 'web', args: { port: ${port} } },`
  const files = { 'prodserver.config.ts': config(port, 'one', beat), 'words.ts': words('x'), 'server.mjs': SERVER }
  const cwd = createProject(t, { settings, files })
  const listed = await prodserver(t, ['list', '--names'], { cwd })
  assert.equal(listed.stdout, 'web\nfrontend\napi\n')
  const checked = await prodserver(t, ['check', '--json'], { cwd })
  const [problem, ...others] = checked.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { id: string; place: string; at: string })
  assert.deepEqual(others, [])
  assert.deepEqual(
    [problem?.id, problem?.place, problem?.at],
    ['E401', 'processes.api', `${cwd}/prodserver.config.ts:11`],
  )
  const shown = await prodserver(t, ['show', 'api'], { cwd })
  assert.match(shown.stdout, /uvicorn --port=\d+ mysite\.asgi:application/)

  const server = startProdserver(t, ['run', 'frontend'], { cwd })
  const { body } = await waitForHttp(server, { port })
  assert.equal((JSON.parse(body) as { settings: string }).settings, 'mysite.settings')
  server.signal('SIGTERM')
  await server.ended()

  const byManage = await run(t, PYTHON, ['manage.py', 'prodserver', '--list'], {
    cwd: createProject(t, { settings: `INSTALLED_APPS += ["django_prodserver"]\n${settings}`, files }),
    env: { PYTHONPATH: join(import.meta.dirname, '..', 'python') },
  })
  assert.match(byManage.stdout, /^frontend +web +node +server\.mjs /m)
})

test('a project with settings and no setting declares all of it in the config file', async (t) => {
  const files = { 'prodserver.config.json': '{ "processes": { "web": { "backend": "waitress" } } }' }
  const cwd = createProject(t, { files })
  assert.deepEqual(await prodserver(t, ['check'], { cwd }), {
    code: 0,
    stdout: 'No problems in 1 process: web.\n',
    stderr: '',
  })
})

const OBJECT = '{ processes: { web: { backend: "command", app: "true" } } }'

const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'is a module in a package that says nothing': { 'prodserver.config.ts': `export default ${OBJECT}` },
  'is a module in a package of CommonJS': {
    'package.json': '{ "type": "commonjs" }',
    'prodserver.config.ts': `import type { Config } from 'prodserver'\n\nexport default ${OBJECT} satisfies Config`,
  },
  'is a module of JavaScript in a package of CommonJS': {
    'package.json': '{ "type": "commonjs" }',
    'prodserver.config.js': `import { defineConfig } from 'prodserver'\n\nexport default defineConfig(${OBJECT})`,
  },
  'is CommonJS': { 'prodserver.config.js': `const { join } = require('node:path')\n\nmodule.exports = ${OBJECT}` },
  'is a module of JavaScript': { 'prodserver.config.mjs': `export default ${OBJECT}` },
  'is JSON': { 'prodserver.config.json': '{ "processes": { "web": { "backend": "command", "app": "true" } } }' },
  'exports a function': { 'prodserver.config.ts': `export default () => (${OBJECT})` },
  'exports a promise': { 'prodserver.config.ts': `export default Promise.resolve(${OBJECT})` },
  'leaves something running': { 'prodserver.config.ts': `setInterval(() => {}, 1000)\nexport default ${OBJECT}` },
  'prints to both streams': {
    'prodserver.config.ts': `import { writeSync } from 'node:fs'\n\nconsole.log('{')\nconsole.error('x')\nwriteSync(1, 'y')\nexport default ${OBJECT}`,
  },
  'changes the environment and the folder': {
    'prodserver.config.ts': `process.env.PATH = ''\nprocess.chdir('/')\nexport default ${OBJECT}`,
  },
  'has something to do when it ends': {
    'prodserver.config.ts': `process.on('exit', () => {\n  for (;;);\n})\nexport default ${OBJECT}`,
  },
}

for (const [what, files] of Object.entries(forms)) {
  test(`a config file that ${what} is read, and does nothing else`, async (t) => {
    const cwd = createProject(t, { files: { ...ALONE, ...files } })
    const listed = await prodserver(t, ['list', '--json'], { cwd })
    assert.equal(listed.stderr, '')
    const { name, backend, problems } = JSON.parse(listed.stdout) as { name: string; backend: string; problems: [] }
    assert.deepEqual({ name, backend, problems }, { name: 'web', backend: 'command', problems: [] })
  })
}

test('a config file that is named is that of the project around it', async (t) => {
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'
  const root = createProject(t, {
    settings,
    files: { 'deploy/staging.json': '{ "processes": { "x": { "backend": "command", "app": "true" } } }' },
  })
  const elsewhere = createProject(t, { files: { 'manage.py': null } })
  const file = join(root, 'deploy', 'staging.json')
  const { stdout } = await prodserver(t, ['list', '--names', '--config', file], { cwd: elsewhere })
  assert.equal(stdout, 'web\nx\n')
  // The nearest folder is the project; a config file makes a folder one.
  mkdirSync(join(root, 'frontend'))
  writeFiles(root, {
    'frontend/prodserver.config.json': '{ "processes": { "y": { "backend": "command", "app": "true" } } }',
  })
  const nested = await prodserver(t, ['list', '--names'], { cwd: join(root, 'frontend') })
  assert.equal(nested.stdout, 'y\n')
})

test('a secret in a config file is found where it is written, and not where it is taken from the environment', async (t) => {
  const env = `{ API_TOKEN: 'hunter2', OTHER_TOKEN: process.env.HOME }`
  const text = `export default {\n  processes: {\n    web: {\n      backend: 'gunicorn',\n      env: ${env},\n    },\n  },\n}\n`
  const cwd = createProject(t, { files: { 'prodserver.config.ts': text } })
  const { stdout } = await prodserver(t, ['check', '--deploy'], { cwd })
  assert.deepEqual(/^W706(?:.*\n)+?(?=\n)/m.exec(stdout)?.[0].split('\n'), [
    'W706  processes.web.env.API_TOKEN  prodserver.config.ts:5',
    '      "API_TOKEN" is written into the config file, and so into the history of the project.',
    '      → Take it from the environment: process.env["API_TOKEN"]',
    '',
  ])
})
