import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { createProject, writeFiles } from './support/project.ts'
import { prodserver, start, startProdserver } from './support/running.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language,
  text: text as string,
}))
const declaration = blocks.find(({ language }) => language === 'python')?.text ?? ''
const transcript = parseTranscript(blocks.find(({ language }) => language === 'console')?.text ?? '')

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

function readmeProject(t: TestContext, settings = declaration): string {
  const celery =
    'import os\n\nfrom celery import Celery\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\napp = Celery("mysite")\n'
  return createProject(t, { settings, files: { 'mysite/celery.py': celery } })
}

test('every command of the README is run by a test', () => {
  const commands = blocks
    .filter(({ language }) => language === 'sh' || language === 'console')
    .flatMap(({ language, text }) =>
      text.split('\n').filter((line) => (language === 'sh' ? line.trim() : line.startsWith('$ '))),
    )
    .map((line) => line.replace(/^\$ /, '').replace(/\s+#.*$/, ''))
  assert.deepEqual(commands.toSorted(), [
    // test/start.spec.ts; npm test runs this very file; scripts/pack-check.mjs installs the package and the Django app
    'npm install prodserver',
    'npm start',
    'npm test',
    'npx prodserver check',
    'npx prodserver list',
    'npx prodserver run web',
    'pip install ./node_modules/prodserver/python',
    'python manage.py prodserver web',
  ])
})

test('list prints what the README shows', async (t) => {
  const { stdout } = await prodserver(t, ['list'], { cwd: readmeProject(t) })
  assert.equal(stdout.trim(), shown('npx prodserver list'))
})

test('check prints what the README shows', async (t) => {
  const cwd = readmeProject(t, declaration.replace('"ARGS"', '"ARG"'))
  const { stdout, code } = await prodserver(t, ['check'], { cwd })
  assert.equal(stdout.replace(`${cwd}/`, '').trim(), shown('npx prodserver check'))
  assert.equal(code, 4)
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
