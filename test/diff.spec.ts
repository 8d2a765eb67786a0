import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createProject } from './support/project.ts'
import { prodserver, run, startProdserver, waitUntil } from './support/running.ts'

const files = {
  'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite")\n',
  'mysite/staging.py': `from mysite.settings import *

PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"workers": 2, "bind": ["127.0.0.1:8001", "127.0.0.1:8002"]},
        "ENV": {"API_TOKEN": "staging", "DEBUG": "1"},
    },
    "worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"},
    "mailhog": {"BACKEND": "command", "APP": "mailhog"},
}
`,
  'mysite/production.py': `from mysite.staging import *

PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"workers": 8, "bind": ["127.0.0.1:8001", "127.0.0.1:8002"], "access-logfile": "-"},
        "ENV": {"API_TOKEN": "production"},
        "INSTANCES": 2,
        "READY": {"http": "/health/", "interval": "2s"},
        "MEMORY_LIMIT": "512M",
    },
    "worker": PRODUCTION_PROCESSES["worker"],
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app"},
}
`,
}

test('diff says what another environment does differently, and hides its secrets', async (t) => {
  const cwd = createProject(t, { files })
  const { code, stdout, stderr } = await prodserver(t, ['diff', 'mysite.staging', 'mysite.production'], { cwd })
  assert.equal(
    stdout,
    `web      ~ changed
           --workers=2 → --workers=8
           + --access-logfile=-
           ENV API_TOKEN  •••• → •••• (another one)
           ENV DEBUG  - 1
           INSTANCES  1 → 2
           READY http  / → /health/
           READY interval  1s → 2s
           MEMORY_LIMIT  + 512M
worker   = the same
mailhog  - only in mysite.staging
beat     + only in mysite.production
`,
  )
  assert.deepEqual([code, stderr], [0, ''])
})

test('diff as JSON has one object a process, and its exit code says whether anything differs', async (t) => {
  const cwd = createProject(t, { files })
  const call = (...args: readonly string[]) => prodserver(t, ['diff', '--exit-code', ...args], { cwd })
  const differs = await call('--json', 'mysite.staging', 'mysite.production')
  assert.equal(differs.code, 4)
  const diffs = differs.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { process: string; is: string; changes: object[] })
  assert.deepEqual(
    diffs.map(({ process, is }) => [process, is]),
    [
      ['web', 'changed'],
      ['worker', 'same'],
      ['mailhog', 'removed'],
      ['beat', 'added'],
    ],
  )
  assert.deepEqual(diffs[0]?.changes[0], { key: 'ARGS', name: '--workers', from: '--workers=2', to: '--workers=8' })
  const same = await call('mysite.staging', 'mysite.staging')
  assert.deepEqual([same.code, same.stdout.includes('~')], [0, false])
})

test('diff refuses what cannot be planned, and says of which settings', async (t) => {
  const broken = {
    'mysite/broken.py': 'from mysite.staging import *\nPRODUCTION_PROCESSES["web"]["BACKEND"] = "gunicron"\n',
  }
  const cwd = createProject(t, { files: { ...files, ...broken } })
  const { code, stdout, stderr } = await prodserver(t, ['diff', 'mysite.staging', 'mysite.broken'], { cwd })
  assert.deepEqual([code, stdout], [4, ''])
  assert.match(stderr, /^E202 {2}mysite\.broken: PRODUCTION_PROCESSES\["web"\]\["BACKEND"\]\n/)
  const usage = await prodserver(t, ['diff', 'mysite.staging'], { cwd })
  assert.equal(usage.code, 2)
  assert.match(usage.stderr, /diff takes two of these: settings modules, environment files, folders, git revisions\./)
  const missing = await prodserver(t, ['diff', 'mysite.staging', 'mysite.nowhere'], { cwd })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^E006 /)
  const both = await prodserver(t, ['diff', 'mysite.broken', 'mysite.nowhere'], { cwd })
  assert.match(both.stderr, /^E202 {2}mysite\.broken: .*[\s\S]*^E006 {2}mysite\.nowhere: --settings\n/m)
})

test('diff of two environment files says what the settings make of them, and what all processes are given', async (t) => {
  const cwd = createProject(t, {
    settings: `
import os
PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"workers": os.environ["WEB_WORKERS"], "w": 2}},
    "job": {"BACKEND": "command", "APP": "job"},
}`,
    files: {
      'mysite/production.py': 'from mysite.settings import *\nPRODUCTION_PROCESSES["job"]["INSTANCES"] = 2\n',
      'env/staging': 'WEB_WORKERS=2\nSECRET_KEY=one\nSAME=1\n',
      'env/production':
        'WEB_WORKERS=8\nSECRET_KEY=two\nSAME=1\nDJANGO_SETTINGS_MODULE=mysite.production\nPRODSERVER_WEB_STOP_SIGNAL=INT\n',
      'env/empty': '# nothing\n',
    },
  })
  const call = (...args: readonly string[]) => prodserver(t, ['diff', ...args], { cwd })
  const { stdout, stderr, code } = await call('env/staging', 'env:env/production')
  assert.equal(
    stdout,
    `(environment)  ~ changed
                 ENV DJANGO_SETTINGS_MODULE  + mysite.production
                 ENV PRODSERVER_WEB_STOP_SIGNAL  + INT
                 ENV SECRET_KEY  •••• → •••• (another one)
                 ENV WEB_WORKERS  2 → 8
web            ~ changed
                 --workers=2 → --workers=8
                 STOP signal  TERM → INT
job            ~ changed
                 INSTANCES  1 → 2
`,
  )
  assert.deepEqual([code, stderr], [0, ''])
  const json = await call('--json', 'env/staging', 'env/staging')
  assert.equal(json.stdout.split('\n')[0], '{"process":null,"is":"same","changes":[]}')
  const empty = await call('env/staging', 'env/empty')
  assert.equal(empty.stderr, `E111  env/empty\n      The environment file ${cwd}/env/empty has no variables.\n`)
  const missing = await call('env:env/nowhere', 'env/staging')
  assert.equal(
    missing.stderr,
    `E111  env:env/nowhere
      The environment file ${cwd}/env/nowhere cannot be read: it does not exist.
      → Look: ls -l ${cwd}/env/nowhere
`,
  )
})

/** A repository with the project in a folder of its own. */
async function createRepository(t: TestContext) {
  const top = realpathSync(createProject(t, { files: { 'manage.py': null } }))
  rmSync(join(top, 'mysite'), { recursive: true })
  const folder = join(top, 'shop')
  cpSync(createProject(t, { files }), folder, { recursive: true })
  const git = async (...args: readonly string[]): Promise<string> => {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'init.defaultBranch=main']
    const { code, stdout, stderr } = await run(t, 'git', [...identity, ...args], { cwd: top })
    assert.equal(code, 0, stderr)
    return stdout
  }
  const settings = join(folder, 'mysite', 'settings.py')
  const base = readFileSync(settings, 'utf8')
  const commit = async (lines: string, message: string): Promise<void> => {
    writeFileSync(settings, `${base}\n${lines}\n`)
    await git('add', '-A')
    await git('commit', '-qm', message)
  }
  writeFileSync(join(top, '.gitignore'), '.env*\n__pycache__\n')
  await git('init', '-q')
  // Checkouts come and go in a folder of the test's own.
  const temporary = join(top, '.git', 'temporary')
  mkdirSync(temporary)
  const env = { TMPDIR: temporary }
  const diff = (...args: readonly string[]) => prodserver(t, ['diff', ...args], { cwd: folder, env })
  return { top, folder, settings, git, commit, diff, env, left: () => readdirSync(temporary) }
}

const declare = (workers: number, more = ''): string =>
  `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"workers": ${workers}, "pidfile": str(BASE_DIR / "web.pid")}},
    "job": {"BACKEND": "command", "APP": str(BASE_DIR / "job"), "CWD": "mysite", "ENV_FILE": ".env", ${more}},
}`

const PLAIN = declare(2).replace('"ENV_FILE": ".env", ', '')

test('diff of git revisions reads what was checked in, and leaves nothing behind', async (t) => {
  const { top, folder, settings, git, commit, diff, left } = await createRepository(t)
  // What is in no revision, and what settings ask git for.
  writeFileSync(join(folder, '.env'), 'API_TOKEN=geheim\n')
  const asking = `import subprocess\nREVISION = subprocess.check_output(["git", "describe", "--tags"], text=True).strip()\n`
  await commit(`${asking}${declare(2)}`, 'one')
  await git('tag', 'v1.0')
  await commit(`${asking}${declare(4, '"ENV": {"REVISION": REVISION}')}`, 'two')
  await git('tag', 'v2.0')
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('"workers": 4', '"workers": 8'))

  const tags = await diff('v1.0', 'v2.0')
  const changed = `web  ~ changed
       --workers=2 → --workers=4
job  ~ changed
       ENV REVISION  + v2.0
`
  assert.deepEqual(tags, { stdout: changed, stderr: '', code: 0 })
  const worktree = await diff('HEAD', '.')
  assert.equal(worktree.stdout, 'web  ~ changed\n       --workers=4 → --workers=8\njob  = the same\n')
  const module = await diff('--exit-code', 'main~1:mysite.production', 'mysite.production')
  assert.deepEqual([module.code, module.stdout.match(/[~+-] /g)], [0, null])
  const json = await diff('--json', 'git:v1.0', 'git:v1.0')
  assert.deepEqual(
    json.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { is: string }).is),
    ['same', 'same'],
  )
  assert.deepEqual(left(), [])
  assert.equal((await git('worktree', 'list')).split('\n').length, 2)
  assert.match(await git('status', '--short'), /^ M shop\/mysite\/settings\.py\n$/)
  assert.ok(existsSync(join(folder, '.env')))

  // A folder that is another checkout of it.
  const other = join(top, '.git', 'other')
  await git('worktree', 'add', '-q', other, 'v1.0')
  symlinkSync(join(folder, '.env'), join(other, 'shop', '.env'))
  assert.equal((await diff(join(other, 'shop'), 'v2.0')).stdout, changed)
})

test('diff says which revision cannot be read, and why', async (t) => {
  const { top, folder, git, commit, diff, env, left } = await createRepository(t)
  await git('commit', '-q', '--allow-empty', '-m', 'zero')
  await git('tag', 'v0')
  await commit(PLAIN, 'one')
  await git('tag', 'v1')
  await git('branch', 'mysite')
  await commit('raise ValueError("no workers")', 'two')

  const says: readonly (readonly [args: readonly string[], code: number, stderr: string])[] = [
    [
      ['v1', 'HEAD'],
      1,
      `E007  HEAD:shop/mysite/settings.py:17
      The settings raise ValueError: no workers
        File "HEAD:shop/mysite/settings.py", line 17, in <module>
          raise ValueError("no workers")
      ValueError: no workers
      → Look: git show HEAD:shop/mysite/settings.py
`,
    ],
    [
      ['v0', 'v1'],
      1,
      `E018  v0
      The revision has no folder shop, which the project is in.
      → Look: git ls-tree --name-only ${(await git('rev-parse', '--short=12', 'v0')).trim()}
`,
    ],
    [
      ['git:v9', 'v1'],
      2,
      `E018  git:v9
      There is no git revision v9 in ${top}.
      → Look: git -C ${folder} log --oneline --all
`,
    ],
    [
      ['v9', 'v1'],
      2,
      `E018  v9
      v9 is no settings module, no environment file, no folder and no git revision.
      → Look: ls, or git log --oneline --all
`,
    ],
    [
      ['mysite', 'v1'],
      2,
      `prodserver: mysite is a settings module and a git revision. Write settings:mysite or git:mysite.
Usage: prodserver diff [OPTIONS] ONE OTHER
Options and examples: prodserver diff --help
`,
    ],
    [
      ['mysite/settings.py', 'v1'],
      2,
      `prodserver: mysite/settings.py is a file of Python; a settings module is written with dots. Write mysite.settings.
Usage: prodserver diff [OPTIONS] ONE OTHER
Options and examples: prodserver diff --help
`,
    ],
    [
      ['v1', 'v1:mysite.nowhere'],
      1,
      `E006  v1:mysite.nowhere: --settings
      The settings module mysite.nowhere cannot be found: there is no module mysite.nowhere in v1:shop.
      → Look: git show v1:shop/mysite
`,
    ],
  ]
  for (const [args, code, stderr] of says)
    assert.deepEqual(await diff(...args), { code, stdout: '', stderr: stderr }, args.join(' '))
  assert.deepEqual(left(), [])

  const outside = createProject(t)
  const none = await prodserver(t, ['diff', 'git:v1', '.'], { cwd: outside })
  assert.equal(
    none.stderr,
    `E018  git:v1
      ${outside} is in no git repository.
      → Look: git -C ${outside} status
`,
  )
  const unknown = await prodserver(t, ['diff', 'HEAD~1', '.'], { cwd: outside })
  assert.equal(
    unknown.stderr,
    `E018  HEAD~1
      HEAD~1 is no settings module, no environment file, no folder and no git revision: ${outside} is in no git repository.
      → Look: ls
`,
  )
  const withoutGit = await prodserver(t, ['diff', 'git:v1', '.'], { cwd: folder, env: { ...env, PATH: '/nowhere' } })
  assert.equal(
    withoutGit.stderr,
    `E018  git:v1
      git cannot be started: it is not installed.
      → Look: git --version
`,
  )
})

test('diff refuses a revision whose settings are imported from somewhere else', async (t) => {
  const { folder, git, commit, diff } = await createRepository(t)
  mkdirSync(join(folder, 'src'))
  await commit(PLAIN, 'one')
  await git('mv', 'shop/mysite', 'shop/src/mysite')
  await git('commit', '-qm', 'two')
  // As an installed project is found.
  const env = { PYTHONPATH: join(folder, 'src') }
  const installed = await prodserver(t, ['diff', 'HEAD', '.'], { cwd: folder, env })
  assert.equal(
    installed.stderr,
    `E018  HEAD
      mysite.settings was imported from ${folder}/src/mysite/settings.py, and not from the revision: the project is installed in the interpreter.
      → Say where it lies: --pythonpath src
`,
  )
  const { stdout, stderr } = await diff('--pythonpath', 'src', 'HEAD', '.')
  assert.deepEqual([stdout, stderr], ['web  = the same\njob  = the same\n', ''])
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`diff leaves nothing behind on ${signal}`, async (t) => {
    const { folder, commit, env, left } = await createRepository(t)
    const reached = join(folder, '..', '.git', 'reached')
    await commit(`open(${JSON.stringify(reached)}, "w").close()\nimport time\ntime.sleep(20)`, 'one')
    const running = startProdserver(t, ['diff', 'HEAD', 'git:main'], { cwd: folder, env })
    await waitUntil(() => existsSync(reached))
    assert.equal(left().length, 2)
    running.signal(signal)
    assert.deepEqual(await running.ended(), { code: null, signal })
    assert.deepEqual(left(), [])
  })
}
