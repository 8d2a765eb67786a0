import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startCluster } from './support/cluster/cluster.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { createProject, writeFiles } from './support/project.ts'
import { prodserver, start, startProdserver } from './support/running.ts'
import { createSupervised, endAll } from './support/supervised.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language,
  text: text as string,
}))
const declaration = blocks.find(({ language }) => language === 'python')?.text ?? ''
const transcript = parseTranscript(
  blocks
    .filter(({ language }) => language === 'console')
    .map(({ text }) => text)
    .join(''),
)

/** What the README shows after a command. */
function shown(command: string): string {
  const found = transcript.get(command)
  assert.ok(found, `the README shows ${command}`)
  return found
}

function parseTranscript(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...output] = part.split('\n')
        return [command, output.join('\n').trim()]
      }),
  )
}

const files = {
  'mysite/celery.py': `import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
app = Celery("mysite", broker="memory://")
`,
}

const readmeProject = (t: TestContext, settings = declaration): string => createProject(t, { settings, files })

/** Lines without what differs each time: numbers, hashes, and so the widths and the order of lines. */
const shape = (text: string): readonly string[] =>
  text
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/\b[0-9a-f]{12}\b/g, 'HASH')
        .replace(/\d+(\.\d+)?(?=[smM%]|:?\d*$)/g, 'N')
        .replace(/\d+/g, 'N')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .toSorted()

const commands = blocks
  .filter(({ language }) => language === 'sh' || language === 'console')
  .flatMap(({ language, text }) =>
    text.split('\n').filter((line) => (language === 'sh' ? line.trim() : line.startsWith('$ '))),
  )
  .map((line) => line.replace(/^\$ /, '').replace(/\s+#.*$/, ''))

test('every command of the README is run by a test', () => {
  assert.deepEqual(commands.toSorted(), [
    // test/start.spec.ts; npm test runs this very file; scripts/pack-check.mjs installs the package and the Django app
    'npm install prodserver',
    'npm start',
    'npm test',
    'npx prodserver check',
    'npx prodserver deploy kubernetes --image registry.example.com/shop:1.4 --set web.ARGS.bind=0.0.0.0:8000',
    'npx prodserver down',
    'npx prodserver export compose --out deploy --set web.ARGS.bind=0.0.0.0:8000',
    'npx prodserver export systemd --out units --user shop',
    'npx prodserver init',
    'npx prodserver logs -f worker',
    'npx prodserver ps',
    'npx prodserver ps --on kubernetes',
    'npx prodserver reload',
    'npx prodserver run web',
    'npx prodserver scale worker=4',
    'npx prodserver up -d',
    'npx prodserver why web',
    'pip install ./node_modules/prodserver/python',
    'python manage.py prodserver web',
  ])
})

test('the declaration of the README is supervised as the README shows', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, { processes: {}, settings: '', files })
  const settings = join(site.root, 'mysite', 'settings.py')
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}\n${declaration.replace('8000', String(port))}`)
  const prints = async (command: string): Promise<void> => {
    const { code, stdout, stderr } = await site.cli(...command.split(' ').slice(2))
    assert.deepEqual(shape(stdout), shape(shown(command)), stderr)
    assert.equal(code, 0)
  }
  await prints('npx prodserver up -d')
  await prints('npx prodserver ps')
  assert.equal((await httpGet({ port })).status, 200)
  await prints('npx prodserver reload')

  const following = startProdserver(t, ['logs', '-f', 'worker'], { cwd: site.root, env: site.env })
  await following.waitForOutput(/worker\.\d │ .*ready\./)
  following.signal('SIGINT')
  await following.ended()
  assert.match((await site.cli('why', 'web')).stdout, /^web\.1 runs and is ready/)
  assert.equal((await site.cli('scale', 'worker=4')).code, 0)
  await site.waitFor('worker.4', ({ state }) => state === 'running')
  await endAll(site)
})

test('up in the foreground prints what is printed, and ends with all of it', async (t) => {
  const site = createSupervised(t, {
    processes: { chatty: { BACKEND: 'command', APP: 'sh -c "echo hello; exec sleep 600"', READY: { log: 'hello' } } },
  })
  const up = site.foreground()
  await up.waitForOutput(/chatty\.1 +│ hello/)
  await up.waitForOutput(/^Ready in .* Ctrl-C stops\.$/m)
  up.signal('SIGINT')
  assert.deepEqual(await up.ended(), { code: 0, signal: null })
  assert.deepEqual(site.alive(), [])
})

test('check prints what the README shows', async (t) => {
  const cwd = readmeProject(t, declaration.replace('"workers"', '"wrokers"'))
  const { stdout, code } = await prodserver(t, ['check'], { cwd })
  // The settings of the test have other lines above these.
  const told = stdout.replace(`${cwd}/`, '').replace(/(settings\.py):\d+/, '$1:10')
  assert.equal(told.trim(), shown('npx prodserver check'))
  assert.equal(code, 4)
})

test('the declaration of the README is exported and deployed by the commands of the README', async (t) => {
  const cluster = await startCluster(t)
  const cwd = readmeProject(t)
  const env = { KUBECONFIG: cluster.kubeconfig }
  const said: string[] = []
  for (const command of commands.filter((one) => /prodserver export|kubernetes/.test(one))) {
    const { code, stdout, stderr } = await prodserver(t, command.split(' ').slice(2), { cwd, env })
    assert.equal(code, 0, `${command}\n${stderr}`)
    said.push(stdout)
  }
  assert.equal(said.length, 4)
  const unit = readdirSync(join(cwd, 'units')).find((name) => name.endsWith('-web.service'))
  assert.match(readFileSync(join(cwd, 'units', unit ?? ''), 'utf8'), /^User=shop$/m)
  assert.match(readFileSync(join(cwd, 'deploy', 'compose.yaml'), 'utf8'), /--bind=0\.0\.0\.0:8000/)
  assert.match(said.at(-1) ?? '', /-web-\S+ +running +yes/)
})

for (const command of ['npx prodserver run web', 'python manage.py prodserver web']) {
  test(`${command} serves the declaration of the README`, async (t) => {
    const port = await freePort()
    const settings = `${declaration.replace('8000', String(port))}\nINSTALLED_APPS += ["django_prodserver"]\n`
    const cwd = readmeProject(t, settings)
    const server = command.startsWith('npx')
      ? startProdserver(t, ['run', 'web'], { cwd, env: { PYTHONPATH: join(ROOT, 'python') } })
      : startManage(t, cwd)
    const { status } = await waitForHttp(server, { port })
    assert.equal(status, 200)
    assert.equal(
      server.stderr().split('\n')[0],
      shown('npx prodserver run web').split('\n')[0]?.replace('8000', String(port)),
    )
    server.signal('SIGTERM')
    assert.deepEqual(await server.ended(), { code: 0, signal: null })
  })
}

function startManage(t: TestContext, cwd: string): ReturnType<typeof startProdserver> {
  return start(t, PYTHON, ['manage.py', 'prodserver', 'web'], { cwd, env: { PYTHONPATH: join(ROOT, 'python') } })
}

test('a project that has no declaration yet is proposed one, as the README says', async (t) => {
  const { code, stdout } = await prodserver(t, ['init'], { cwd: readmeProject(t, '') })
  assert.equal(code, 0)
  for (const [name] of declaration.matchAll(/^ {4}"\w+": \{$/gm)) assert.ok(stdout.includes(name), name)
})

test('an extra argument wins, as the README says', async (t) => {
  const cwd = readmeProject(t)
  writeFiles(cwd, {
    'gunicorn.conf.py':
      'def on_starting(server):\n    print("workers:", server.cfg.workers, flush=True)\n    raise SystemExit(9)\n',
  })
  const { stdout, code } = await prodserver(t, ['run', 'web', '--workers=8'], { cwd })
  assert.match(stdout, /^workers: 8$/m)
  assert.equal(code, 9)
})
