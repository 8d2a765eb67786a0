import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PYTHON } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

const SETTINGS = `
PRODUCTION_PROCESS_DEFAULTS = {
    "STOP": {"timeout": "20s"},
    "ENV": {"A": "1"},
}
PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": "127.0.0.1:8000", "w": 2},
        "RESTART": "on-failure",
        "READY": {"http": "/health/", "timeout": 2},
        "LOG": {"keep": 3},
    },
    "job": {"BACKEND": "command", "APP": "job --all", "SCHEDULE": "30 3 * * *", "DEPENDS_ON": ["web"]},
}`

const SET = [
  '--set=web.ARGS.workers=8',
  '--set=web.INSTANCES=3',
  '--set=web.RESTART.limit=5',
  '--set=web.STOP.signal=INT',
  '--set=job.ENABLED=false',
]
const ENV = { PRODSERVER_WEB_NICE: '5', PRODSERVER_WEB_ARGS_TIMEOUT: '45' }

test('show says of every value where it comes from, and in which line that is written', async (t) => {
  const cwd = createProject(t, { settings: SETTINGS })
  const { stdout, stderr, code } = await prodserver(t, ['show', ...SET], { cwd, env: ENV })
  const shown = stdout
    .replaceAll(cwd, '<project>')
    .replaceAll(PYTHON, '<python>')
    .replace(/ \(3\.\d+\.\d+\)/, ' (3)')
    .replace(/ {2,}/g, '  ')
  assert.equal(
    shown,
    `  project  <project>
  settings  mysite.settings  manage.py
  python  <python> (3)  PRODSERVER_PYTHON

web  gunicorn, web, 3 instances
  cd <project> && env DJANGO_SETTINGS_MODULE=mysite.settings A=1 <python> -m gunicorn --bind=127.0.0.1:8000 --timeout=45 --workers=8 mysite.wsgi:application
  from  --bind=127.0.0.1:8000  PRODUCTION_PROCESSES["web"]["ARGS"]["bind"]  mysite/settings.py:23
  --timeout=45  PRODSERVER_WEB_ARGS_TIMEOUT
  --workers=8  --set web.ARGS.workers
  mysite.wsgi:application  WSGI_APPLICATION  mysite/settings.py:11
  environment DJANGO_SETTINGS_MODULE=mysite.settings  manage.py
  A=1  PRODUCTION_PROCESS_DEFAULTS["ENV"]["A"]  mysite/settings.py:18
  backend  gunicorn  PRODUCTION_PROCESSES["web"]["BACKEND"]  mysite/settings.py:22
  directory  <project>
  listens on  127.0.0.1:8000
  instances  3  --set web.INSTANCES
  ready  GET /health/ is answered  PRODUCTION_PROCESSES["web"]["READY"]  mysite/settings.py:25
  restart  on-failure, after 1s to 1m, at most 5 times in 10m  PRODUCTION_PROCESSES["web"]["RESTART"], --set web.RESTART.limit  mysite/settings.py:24
  stop  INT, then KILL after 20s  --set web.STOP.signal, PRODUCTION_PROCESS_DEFAULTS["STOP"]["timeout"]  mysite/settings.py:17
  reload  rolling: the new one takes over the socket when it is ready; no request is dropped  the backend gunicorn
  nice  5  PRODSERVER_WEB_NICE
  log  3 files of 10M are kept, compressed  PRODUCTION_PROCESSES["web"]["LOG"]["keep"]  mysite/settings.py:26

job  command, task, disabled
  cd <project> && env DJANGO_SETTINGS_MODULE=mysite.settings A=1 job --all
  from  --all  PRODUCTION_PROCESSES["job"]["APP"]  mysite/settings.py:28
  environment DJANGO_SETTINGS_MODULE=mysite.settings  manage.py
  A=1  PRODUCTION_PROCESS_DEFAULTS["ENV"]["A"]  mysite/settings.py:18
  backend  command  PRODUCTION_PROCESSES["job"]["BACKEND"]  mysite/settings.py:28
  directory  <project>
  depends on  web is ready  PRODUCTION_PROCESSES["job"]["DEPENDS_ON"]  mysite/settings.py:28
  ready  it has run for 1s
  stop  TERM, then KILL after 20s  PRODUCTION_PROCESS_DEFAULTS["STOP"]["timeout"]  mysite/settings.py:17
  reload  restart: it is away for a moment
  schedule  30 3 * * * UTC  PRODUCTION_PROCESSES["job"]["SCHEDULE"]  mysite/settings.py:28
  enabled  no  --set job.ENABLED
`,
  )
  assert.deepEqual([stderr, code], ['', 0])
})

test('show --json says it of every key, the defaults included', async (t) => {
  const cwd = createProject(t, { settings: SETTINGS })
  const { stdout } = await prodserver(t, ['show', '--json', 'web', ...SET], { cwd, env: ENV })
  const { processes, lines } = JSON.parse(stdout) as {
    processes: readonly { origins: Readonly<Record<string, string>> }[]
    lines: Readonly<Record<string, string>>
  }
  const web = 'PRODUCTION_PROCESSES["web"]'
  assert.deepEqual(processes[0]?.origins, {
    backend: `${web}["BACKEND"]`,
    args: `${web}["ARGS"]`,
    env: 'PRODUCTION_PROCESS_DEFAULTS["ENV"]',
    cwd: 'default',
    instances: '--set web.INSTANCES',
    run: 'default',
    dependsOn: 'default',
    'ready.http': `${web}["READY"]["http"]`,
    'ready.interval': 'default',
    'ready.timeout': `${web}["READY"]["timeout"]`,
    'ready.failures': 'default',
    alive: 'default',
    'restart.policy': `${web}["RESTART"]`,
    'restart.delay': 'default',
    'restart.maxDelay': 'default',
    'restart.limit': '--set web.RESTART.limit',
    'restart.window': 'default',
    'stop.signal': '--set web.STOP.signal',
    'stop.timeout': 'PRODUCTION_PROCESS_DEFAULTS["STOP"]["timeout"]',
    reload: 'the backend gunicorn',
    memoryLimit: 'default',
    schedule: 'default',
    tz: 'default',
    user: 'default',
    group: 'default',
    umask: 'default',
    nice: 'PRODSERVER_WEB_NICE',
    limits: 'default',
    'log.maxSize': 'default',
    'log.keep': `${web}["LOG"]["keep"]`,
    'log.compress': 'default',
    enabled: 'default',
  })
  assert.equal(lines[`${web}["LOG"]["keep"]`], `${cwd}/mysite/settings.py:26`)
  assert.equal(lines['PRODUCTION_PROCESS_DEFAULTS["STOP"]["timeout"]'], `${cwd}/mysite/settings.py:17`)
  assert.equal('--set web.INSTANCES' in lines, false)
})

test('a value of several lines stays in its row', async (t) => {
  const settings = 'PRODUCTION_PROCESSES = {"job": {"BACKEND": "command", "APP": "job", "ENV": {"LINES": "a\\nb"}}}'
  const { stdout } = await prodserver(t, ['show'], { cwd: createProject(t, { settings }) })
  assert.match(stdout, /^ +LINES=a\\nb +PRODUCTION_PROCESSES\["job"\]\["ENV"\]\["LINES"\]/m)
  assert.match(stdout, / LINES='a\nb' job$/m)
})

const NAMES = `
PRODUCTION_PROCESSES = {
    "web1": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8001"}},
    "web2": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8002"}},
    "beat": {"BACKEND": "command", "APP": "true", "RUN": "once"},
}`

test('show, check, export and run take patterns and kinds', async (t) => {
  const cwd = createProject(t, { settings: NAMES })
  const showsNames = async (...selectors: string[]): Promise<readonly string[]> => {
    const { stdout } = await prodserver(t, ['show', '--json', ...selectors], { cwd })
    return (JSON.parse(stdout) as { processes: { name: string }[] }).processes.map(({ name }) => name)
  }
  assert.deepEqual(await showsNames('web?'), ['web1', 'web2'])
  assert.deepEqual(await showsNames('@task', '*2'), ['web2', 'beat'])
  const checked = await prodserver(t, ['check', '--quick', '@web'], { cwd })
  assert.match(checked.stdout, /No problems in 2 processes: web1, web2\./)
  const exported = await prodserver(t, ['export', 'procfile', 'w*1', '@task'], { cwd })
  assert.match(exported.stdout, /^web1: .*\nbeat: .*\n$/m)
  assert.doesNotMatch(exported.stdout, /web2/)
  const ran = await prodserver(t, ['run', '@task'], { cwd })
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /^beat: /)
  const several = await prodserver(t, ['run', 'web*'], { cwd })
  assert.match(several.stderr, /run becomes one process, and "web\*" selects web1, web2\./)
  const none = await prodserver(t, ['check', '@worker', 'x*'], { cwd })
  assert.match(none.stderr, /No process of kind '@worker' found in PRODUCTION_PROCESSES[^]*matches 'x\*'/)
  assert.deepEqual([several.code, none.code], [2, 2])
})
