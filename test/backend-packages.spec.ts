import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { hasProgram, ROOT } from './support/environment.ts'
import { freePort } from './support/net.ts'
import { createProject, writeFiles } from './support/project.ts'
import { prodserver, run } from './support/running.ts'
import { createSupervised, endAll } from './support/supervised.ts'

const page = readFileSync(join(ROOT, 'docs', 'how-to', 'publish-a-backend.md'), 'utf8')

/** The files of the page, by the paths in their first lines. */
const files = Object.fromEntries(
  [...page.matchAll(/```\w+\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, path = '', text = '']) => [path, text]),
)
const declared = /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? ''

test('the package of the how-to is built, packed, installed from the tarball, and runs', async (t) => {
  if (!hasProgram(t, 'redis-server', 'apt-get install redis-server')) return
  const source = mkdtempSync(join(tmpdir(), 'prodserver-package-'))
  t.after(() => rmSync(source, { recursive: true, force: true }))
  writeFiles(source, files)
  mkdirSync(join(source, 'node_modules'))
  symlinkSync(ROOT, join(source, 'node_modules', 'prodserver'))
  const tools = [join(ROOT, 'node_modules', '.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter)
  const npm = async (cwd: string, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(t, 'npm', [...words, '--offline'], { cwd, env: { PATH: tools } })
    assert.equal(code, 0, stdout + stderr)
    return stdout
  }
  const tarball = (await npm(source, 'pack')).trim().split('\n').at(-1) ?? ''
  assert.equal(tarball, 'prodserver-backend-redis-1.0.0.tgz')

  const port = await freePort()
  const cache: unknown = JSON.parse(`{${declared.replace('6390', String(port)).replace(/,\s*$/, '')}}`)
  const site = createSupervised(t, {
    processes: cache as Parameters<typeof createSupervised>[1]['processes'],
    files: { 'package.json': '{"private": true}' },
  })
  await npm(site.root, 'install', '--no-audit', '--no-fund', join(source, tarball))
  const shown = await site.cli('show', 'cache')
  assert.equal(shown.code, 0, shown.stderr)
  assert.ok(shown.stdout.includes(`redis-server --port ${port} --maxmemory 64mb`), shown.stdout)
  assert.match(shown.stdout, /note +the backend is of the package prodserver-backend-redis 1\.0\.0/)
  await site.up()
  assert.equal(await ask(port, 'CONFIG GET maxmemory\r\n'), '*2\r\n$9\r\nmaxmemory\r\n$8\r\n67108864\r\n')
  await endAll(site)
})

function ask(port: number, question: string): Promise<string> {
  return new Promise((settle, fail) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', fail)
    socket.on('data', (answer) => {
      settle(answer.toString())
      socket.destroy()
    })
    socket.write(question)
  })
}

const backend = (word: string): string => `export default {
  name: 'say', title: 'Say', summary: 'Says a word.', kind: 'worker',
  command: ({ options, extra }) => ({
    program: 'node',
    args: ['-e', 'console.log(${JSON.stringify(word)}, process.argv.slice(1).join())', '--', ...options.flatMap(({ tokens }) => tokens), ...extra],
  }),
}
`

test('a package is found as an import finds it: scoped, above the project, and by what it exports', async (t) => {
  const top = createProject(t, {
    files: {
      'node_modules/@acme/servers/package.json': JSON.stringify({
        name: '@acme/servers',
        version: '1.0.0',
        exports: { '.': { import: './main.mjs' }, './other': './other.mjs' },
      }),
      'node_modules/@acme/servers/main.mjs': backend('main'),
      'node_modules/@acme/servers/other.mjs': backend('other'),
      'node_modules/say/package.json': JSON.stringify({ name: 'say', main: 'say.cjs' }),
      'node_modules/say/say.cjs': backend('plain').replace('export default', 'module.exports ='),
      'backend/manage.py': 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n',
      'backend/settings.py': `PRODUCTION_PROCESSES = {
    "main": {"BACKEND": "@acme/servers", "ARGS": {"a": 1}},
    "other": {"BACKEND": "@acme/servers/other"},
    "plain": {"BACKEND": "say"},
}`,
    },
  })
  const said = async (name: string): Promise<string> => {
    const { code, stdout, stderr } = await prodserver(t, ['run', '-q', name, 'word'], { cwd: join(top, 'backend') })
    assert.equal(code, 0, stderr)
    return stdout
  }
  assert.deepEqual(await Promise.all(['main', 'other', 'plain'].map(said)), [
    'main -a,1,word\n',
    'other word\n',
    'plain word\n',
  ])
})
