import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BACKENDS } from '../src/backends/index.ts'
import type { KnownBackend } from '../src/plan/resolve/known-backends.ts'
import { BARE_PYTHON, PYTHON } from './support/environment.ts'
import { createProject, writeFiles } from './support/project.ts'
import { type Finished, prodserver } from './support/running.ts'

const rowsOf = ({ code, stdout, stderr }: Finished): ReadonlyMap<string, KnownBackend> => {
  assert.equal(code, 0, stderr)
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as KnownBackend)
  return new Map(all.map((backend) => [backend.name, backend]))
}

const manifest = (name: string, keywords: readonly string[] = []): string =>
  JSON.stringify({ name, version: '1.2.3', type: 'module', exports: './index.js', keywords })

const caddy = (more = ''): string =>
  `export default { name: 'c', title: 'C', summary: 'Serves.', kind: 'web', command: () => ({ program: 'c', args: [] })${more} }\n`

test('backends lists what is built in, packaged and of the project, with what is installed and what is missing', async (t) => {
  const cwd = createProject(t, {
    settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn"},
    "proxy": {"BACKEND": "./backends/proxy.ts"},
    "other": {"BACKEND": "./backends/other.ts"},
    "own": {"BACKEND": "mysite.backends.Own"},
    "declared": {"BACKEND": "@acme/servers"},
    "front": {"BACKEND": "next", "CWD": "front"},
}`,
    files: {
      'backends/proxy.ts': caddy(),
      'backends/other.ts': 'export default {}',
      'mysite/backends.py':
        'class Own:\n    def start_server(self): pass\n    def prep_server_args(self): return []\n    def __init__(self, **keys): pass\n',
      'node_modules/prodserver-backend-caddy/package.json': manifest('prodserver-backend-caddy'),
      'node_modules/prodserver-backend-caddy/index.js': caddy(),
      'node_modules/@acme/tagged/package.json': manifest('@acme/tagged', ['prodserver-backend']),
      'node_modules/@acme/tagged/index.js': caddy(', python: { module: "no_such_module", package: "no-such-package" }'),
      'node_modules/@acme/servers/package.json': manifest('@acme/servers'),
      'node_modules/@acme/servers/index.js': caddy(),
      'node_modules/prodserver-backend-broken/package.json': manifest('prodserver-backend-broken'),
      'node_modules/prodserver-backend-broken/index.js': 'throw new Error("no such region")',
      'front/node_modules/next/package.json': manifest('next'),
      'node_modules/unrelated/package.json': manifest('unrelated'),
    },
  })
  const [json, table, list] = await Promise.all([
    prodserver(t, ['backends', '--json'], { cwd }),
    prodserver(t, ['backends'], { cwd }),
    prodserver(t, ['list', '--backends', '--json'], { cwd }),
  ])
  assert.deepEqual(list, json)
  const rows = rowsOf(json)
  assert.deepEqual(
    [...rows.keys()],
    [
      ...BACKENDS.map(({ name }) => name),
      '@acme/servers',
      ...[...rows.keys()].filter((name) => name.startsWith('prodserver-') || name === '@acme/tagged'),
      './backends/proxy.ts',
      './backends/other.ts',
      'mysite.backends.Own',
    ],
  )
  const usable = (name: string): readonly unknown[] => {
    const { kind, from, installed, usable, missing } = rows.get(name) as KnownBackend
    return [kind, from, installed, usable, ...missing.map(({ what, hint }) => `${what}: ${hint}`)]
  }
  const { installed } = rows.get('gunicorn') as KnownBackend
  assert.match(installed ?? '', /^\d+\.\d/)
  assert.equal((rows.get('gunicorn') as KnownBackend).usable, true)
  assert.ok(
    rows
      .get('hypercorn')
      ?.missing.some(
        ({ what, option, hint }) =>
          what === 'add-on' && option === 'worker-class=trio' && hint === `${PYTHON} -m pip install trio`,
      ),
  )
  const [, , , isUsable, django] = usable('django-q2')
  assert.deepEqual([isUsable, django], [false, 'app: Add "django_q" to INSTALLED_APPS, then: python manage.py migrate'])
  assert.deepEqual(usable('node'), ['web', 'built-in', process.versions.node, true])
  assert.deepEqual(usable('next'), ['web', 'built-in', '1.2.3', true])
  assert.deepEqual(usable('bullmq'), ['worker', 'built-in', null, false, `package: cd ${cwd} && npm install bullmq`])
  assert.deepEqual(usable('prodserver-backend-caddy'), ['web', 'package', '1.2.3', true])
  assert.deepEqual(usable('@acme/servers'), ['web', 'package', '1.2.3', true])
  assert.deepEqual(usable('@acme/tagged'), [
    'web',
    'package',
    '1.2.3',
    false,
    `package: ${PYTHON} -m pip install no-such-package`,
  ])
  assert.match(String(usable('prodserver-backend-broken')), /^,package,1\.2\.3,false,backend: See it alone: /)
  assert.deepEqual(usable('./backends/proxy.ts'), ['web', 'project', null, true])
  assert.deepEqual(usable('mysite.backends.Own'), ['web', 'project', null, true])
  assert.match(String(usable('./backends/other.ts')), /^,project,,false,backend: export default \{ name/)

  assert.match(table.stdout, /^NAME +KIND +INSTALLED +USABLE +RUNS\n/)
  assert.match(table.stdout, new RegExp(`^gunicorn +web +${installed?.replaceAll('.', '\\.')} +yes +WSGI server`, 'm'))
  assert.match(table.stdout, /^prodserver-backend-caddy +web +1\.2\.3 +yes +Serves\.$/m)
  assert.ok(table.stdout.includes('\nhypercorn worker-class=trio\n  '), table.stdout)
  assert.ok(table.stdout.includes('Cannot import BACKEND "prodserver-backend-broken": no such region'), table.stdout)
})

test('an interpreter without anything has nothing that is usable, but what needs no Python', async (t) => {
  const cwd = createProject(t, { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}' })
  const env = { PRODSERVER_PYTHON: BARE_PYTHON }
  const rows = rowsOf(await prodserver(t, ['backends', '--json'], { cwd, env }))
  const yes = [...rows.values()].filter(({ usable }) => usable)
  assert.deepEqual(
    yes.map(({ name }) => name),
    ['node', 'npm-script', 'command'],
  )
  const { usable, missing } = rows.get('waitress') as KnownBackend
  assert.deepEqual([usable, missing.map(({ hint }) => hint)], [false, [`${BARE_PYTHON} -m pip install waitress`]])
  assert.equal(rows.get('django-command')?.missing[0]?.hint, `${BARE_PYTHON} -m pip install django`)
})

test('without a project backends lists what there is, packages in the folder too, and says why no more is known', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'prodserver-empty-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  writeFiles(cwd, {
    'node_modules/prodserver-backend-caddy/package.json': manifest('prodserver-backend-caddy'),
    'node_modules/prodserver-backend-caddy/index.js': caddy(),
  })
  const { code, stdout, stderr } = await prodserver(t, ['backends'], { cwd })
  assert.equal(code, 0)
  assert.match(stderr, /^What is installed is not known: No Django project was found: .*\n→ Go to your Django project/)
  assert.match(stdout, /^gunicorn +web +\? +\? +WSGI server/m)
  assert.match(stdout, /^prodserver-backend-caddy +web +1\.2\.3 +yes +Serves\.$/m)
})

test('beside a config file without Django, what needs Python is not usable, and Node is', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'prodserver-config-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  writeFiles(cwd, {
    'prodserver.config.ts': "export default { processes: { web: { backend: './own.ts' } } }\n",
    'own.ts': caddy(),
  })
  const rows = rowsOf(await prodserver(t, ['backends', '--json'], { cwd }))
  const { usable, missing } = rows.get('gunicorn') as KnownBackend
  assert.deepEqual([usable, missing.map(({ what }) => what)], [false, ['project']])
  assert.equal(rows.get('npm-script')?.usable, true)
  assert.equal(rows.get('./own.ts')?.usable, true)
})
