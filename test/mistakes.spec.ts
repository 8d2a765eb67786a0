import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from '../src/cli/commands/index.ts'
import { type Problem, PROBLEMS } from '../src/core/errors.ts'
import { BARE_PYTHON, BIN, cleanEnv, PYTHON, ROOT } from './support/environment.ts'
import { assertExplained, hideMachine, type Mistake, recordInterpreters } from './support/mistakes.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { createProject, type ProjectFiles } from './support/project.ts'
import { prodserver, run, startProdserver } from './support/running.ts'

const GOOD = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'
/** A web server with more keys than the only one it needs. */
const web = (keys: string): string => `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", ${keys}}}`
const withArgs = (args: string): string => web(`"ARGS": ${args}`)
const backend = (reference: string): string =>
  `PRODUCTION_PROCESSES = {"web": {"BACKEND": ${JSON.stringify(reference)}}}`
const celery = (app: string, keys = '', kind = 'worker'): string =>
  `PRODUCTION_PROCESSES = {"web": {"BACKEND": "celery-${kind}", "APP": "${app}", ${keys}}}`
const two = (one: string, other: string): string => `PRODUCTION_PROCESSES = {"web": ${one}, "api": ${other}}`
const bound = (address: string): string => `{"BACKEND": "gunicorn", "ARGS": {"bind": "${address}"}}`

/** An npm package that is installed in the project. */
const backendPackage = (code: string, manifest: object = {}): Record<string, string> => ({
  'node_modules/prodserver-backend-caddy/package.json': JSON.stringify({
    name: 'prodserver-backend-caddy',
    version: '1.2.3',
    type: 'module',
    exports: './index.js',
    ...manifest,
  }),
  'node_modules/prodserver-backend-caddy/index.js': code,
})

const CELERY_MODULE = 'from celery import Celery\n\napp = Celery("mysite")\n'

/** A `manage.py` of the kind that must be run to be understood, with lines of its own. */
const manage = (lines: string, call = 'execute_from_command_line(sys.argv)'): Record<string, string> => ({
  'manage.py': `import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
${lines}
from django.core.management import execute_from_command_line

sys.path.append(str(Path(__file__).parent / "mysite" / "apps"))
${call}
`,
})

/** Exit codes: 1 failed, 2 wrong usage, 4 refused, 127 not found. */
const mistakes: Readonly<Record<string, Mistake>> = {
  // --- The setting as a whole
  'the setting is missing': {
    code: 4,
    shows: `E101  mysite.settings
      PRODUCTION_PROCESSES setting not found.
      → Add it to mysite.settings: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}
`,
  },
  'the setting is None': {
    settings: 'PRODUCTION_PROCESSES = None',
    code: 4,
    shows: `E102  PRODUCTION_PROCESSES
      PRODUCTION_PROCESSES must be a dictionary of process names, not None.
      → Write it as: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}
`,
  },
  'the setting is a list': {
    settings: 'PRODUCTION_PROCESSES = ["web"]',
    code: 4,
    shows: `E102  PRODUCTION_PROCESSES
      PRODUCTION_PROCESSES must be a dictionary of process names, not a list.
      → Write it as: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}
`,
  },
  'the setting is a function': {
    settings: 'def PRODUCTION_PROCESSES():\n    pass',
    code: 4,
    shows: `E102  PRODUCTION_PROCESSES
      PRODUCTION_PROCESSES must be a dictionary of process names, not a function (<function PRODUCTION_PROCESSES at 0x…>).
      → Write it as: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}
`,
  },
  'the setting is empty': {
    settings: 'PRODUCTION_PROCESSES = {}',
    code: 4,
    shows: `E103  PRODUCTION_PROCESSES
      PRODUCTION_PROCESSES is empty.
      → Declare a process: {"web": {"BACKEND": "gunicorn"}}
`,
  },
  'the setting is missing, to somebody who names a process': {
    args: ['show', 'web'],
    names: ['web'],
    code: 4,
    shows: `E101  mysite.settings
      PRODUCTION_PROCESSES setting not found.
      → Add it to mysite.settings: PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}
`,
  },
  'the defaults are not a dictionary': {
    settings: `${GOOD}\nPRODUCTION_PROCESS_DEFAULTS = ["ENV"]`,
    code: 4,
    shows: `E107  PRODUCTION_PROCESS_DEFAULTS
      PRODUCTION_PROCESS_DEFAULTS must be a dictionary, not a list.
`,
  },

  'a process depends on one that is not enabled': {
    settings: two(
      '{"BACKEND": "gunicorn", "DEPENDS_ON": ["api"]}',
      '{"BACKEND": "gunicorn", "ARGS": {"bind": ":9000"}, "ENABLED": False}',
    ),
    args: ['check'],
    code: 0,
    shows: `W305  PRODUCTION_PROCESSES["web"]["DEPENDS_ON"]
      It depends on "api", which is not enabled: it starts only with that one.
      → Enable it, or start both by name: prodserver up api web

1 warning in <project>/mysite/settings.py.
`,
  },

  'a backend is one of a family': {
    settings: backend('celery'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "celery": there is no built-in backend of that name.
      → Did you mean "celery-worker" or "celery-beat"?
`,
  },

  // --- Overrides
  'overrides name what does not exist, and have values of the wrong form': {
    settings: GOOD,
    options: [
      '--set=wbe.ARGS.workers=8',
      '--set=web.workers=8',
      '--set=web.STPO.timeout=8',
      '--set=web.STOP.timeot=8',
      '--set=web.INSTANCES=two',
      '--set=web.NICE.x=8',
      '--set=web.BACKEND=gunicron',
    ],
    code: 4,
    shows: `E104  --set wbe.ARGS.workers
      Process 'wbe' not found in PRODUCTION_PROCESSES.
      → Did you mean web?

E106  --set web.workers
      A process has no key "workers".
      → An option of its program is written: --set web.ARGS.workers=VALUE

E106  --set web.STPO.timeout
      A process has no key "STPO".
      → Did you mean STOP?

E106  --set web.NICE.x
      NICE has no key "x".
      → Write: --set web.NICE=VALUE

E107  --set web.INSTANCES
      INSTANCES must be a whole number of at least 1, or "cpu", not "two".

E106  --set web.STOP.timeot
      STOP has no key "timeot".
      → Did you mean timeout?

E202  --set web.BACKEND
      Cannot import BACKEND "gunicron": there is no built-in backend of that name.
      → Did you mean "gunicorn"?
`,
  },
  'overrides of ARGS cannot become options': {
    settings: GOOD,
    options: ['--set=web.ARGS.two words=8', '--set=web.ARGS.bind={"port": 8000}'],
    code: 4,
    shows: `E302  --set web.ARGS.two words
      Invalid ARGS configuration: the key "two words" is not an option name.
      → Write "two-words"

E301  --set web.ARGS.bind
      Invalid ARGS configuration: "bind" is a dictionary, which cannot become an option.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'an override has an option that the program has not': {
    settings: GOOD,
    args: ['check'],
    options: ['--set=web.ARGS.wrokers=8'],
    code: 4,
    shows: `E303  --set web.ARGS.wrokers
      gunicorn <version> has no option "wrokers".
      → Did you mean "workers"?

1 error in <project>/mysite/settings.py.
`,
  },
  'variables override with values of the wrong form': {
    settings: GOOD,
    env: { PRODSERVER_WEB_STOP_TIMEOT: '8', PRODSERVER_WEB_INSTANCES: 'two', PRODSERVER_WEB_ENV: '[]' },
    code: 4,
    shows: `E107  PRODSERVER_WEB_ENV
      ENV must be a dictionary, not a list.

E107  PRODSERVER_WEB_INSTANCES
      INSTANCES must be a whole number of at least 1, or "cpu", not "two".

E106  PRODSERVER_WEB_STOP_TIMEOT
      STOP has no key "timeot".
      → Did you mean timeout?
`,
  },
  'a variable could override two processes': {
    settings:
      'PRODUCTION_PROCESSES = {"web-1": {"BACKEND": "gunicorn"}, "web_1": {"BACKEND": "gunicorn", "ENABLED": False}}',
    args: ['check'],
    env: { PRODSERVER_WEB_1_NICE: '8' },
    code: 4,
    shows: `E112  PRODSERVER_WEB_1_NICE
      This can mean web-1.NICE or web_1.NICE.
      → Write: --set 'web-1.NICE=VALUE'

1 error in <project>/mysite/settings.py.
`,
  },
  'variables are called as overrides are, and override nothing': {
    settings: GOOD,
    args: ['check'],
    env: {
      PRODSERVER_WBE_ARGS_WORKERS: '8',
      PRODSERVER_WEB_ARG_WORKERS: '8',
      PRODSERVER_PYTHN: 'x',
      PRODSERVER_X: '1',
    },
    code: 0,
    shows: `W101  PRODSERVER_PYTHN
      Nothing heeds this variable: it is none of prodserver's own, and no override of a declared process.
      → Did you mean PRODSERVER_PYTHON?

W101  PRODSERVER_WBE_ARGS_WORKERS
      Nothing heeds this variable: it is none of prodserver's own, and no override of a declared process.
      → Did you mean PRODSERVER_WEB_ARGS_WORKERS?

W101  PRODSERVER_WEB_ARG_WORKERS
      Nothing heeds this variable: it is none of prodserver's own, and no override of a declared process.
      → Did you mean PRODSERVER_WEB_ARGS_WORKERS?

W101  PRODSERVER_X
      Nothing heeds this variable: it is none of prodserver's own, and no override of a declared process.
      → Overrides are called PRODSERVER_NAME_KEY. Declared: web

4 warnings in <project>/mysite/settings.py.
`,
  },

  // --- Names
  'a name is longer than the name of a file may be': {
    settings: 'PRODUCTION_PROCESSES = {"web" * 40: {"BACKEND": "gunicorn"}}',
    args: ['check'],
    code: 4,
    shows: `E105  PRODUCTION_PROCESSES["${'web'.repeat(40)}"]
      A process name has at most 100 bytes, and this one has 120.
      → Use letters, digits, "-", "_" and ".", beginning with a letter or digit

1 error in <project>/mysite/settings.py.
`,
  },
  'a port does not exist': {
    settings: withArgs('{"bind": "127.0.0.1:99999"}'),
    args: ['check'],
    code: 4,
    shows: `E404  PRODUCTION_PROCESSES["web"]
      It listens on 127.0.0.1:99999, and the last port is 65535.

1 error in <project>/mysite/settings.py.
`,
  },
  'a process of nearly that name is declared': {
    settings: GOOD,
    args: ['run', 'wbe'],
    names: ['wbe'],
    code: 2,
    shows: `E104  PRODUCTION_PROCESSES
      Process 'wbe' not found in PRODUCTION_PROCESSES.
      → Did you mean web?
`,
  },
  'a command has nearly that name': {
    settings: GOOD,
    args: ['chekc'],
    names: ['chekc'],
    code: 2,
    shows: `E104  PRODUCTION_PROCESSES
      Process 'chekc' not found in PRODUCTION_PROCESSES.
      → Did you mean the command: prodserver check?
`,
  },
  'no process has a name like that': {
    settings: two('{"BACKEND": "gunicorn"}', bound(':9000')),
    args: ['run', 'importer'],
    names: ['importer'],
    code: 2,
    shows: `E104  PRODUCTION_PROCESSES
      Process 'importer' not found in PRODUCTION_PROCESSES.
      → Declared: web, api
`,
  },
  'several names are not declared': {
    settings: two('{"BACKEND": "gunicorn"}', bound(':9000')),
    args: ['show', 'wbe', 'web', 'aip'],
    names: ['wbe', 'web', 'aip'],
    code: 2,
    shows: `E104  PRODUCTION_PROCESSES
      Process 'wbe' not found in PRODUCTION_PROCESSES.
      → Did you mean web?

E104  PRODUCTION_PROCESSES
      Process 'aip' not found in PRODUCTION_PROCESSES.
      → Did you mean api?
`,
  },
  'a process is not a dictionary': {
    settings: 'PRODUCTION_PROCESSES = {"web": "gunicorn"}',
    code: 4,
    shows: `E105  PRODUCTION_PROCESSES["web"]
      A process must be a dictionary, not a string.
      → Write: "web": {"BACKEND": "gunicorn"}
`,
  },
  'a process is None': {
    settings: 'PRODUCTION_PROCESSES = {"web": None}',
    code: 4,
    shows: `E105  PRODUCTION_PROCESSES["web"]
      A process must be a dictionary, not None.
      → Write: "web": {"BACKEND": "gunicorn"}
`,
  },
  'a name cannot be one': {
    settings: 'PRODUCTION_PROCESSES = {"../web": {"BACKEND": "gunicorn"}}',
    args: ['run', '../web'],
    code: 4,
    shows: `E105  PRODUCTION_PROCESSES["../web"]
      "../web" cannot be used as a process name: it names files, units and options elsewhere.
      → Use letters, digits, "-", "_" and ".", beginning with a letter or digit
`,
  },
  'a name is not a string': {
    settings: 'PRODUCTION_PROCESSES = {1: {"BACKEND": "gunicorn"}}',
    args: ['run', '1'],
    code: 4,
    shows: `E105  PRODUCTION_PROCESSES[1]
      A process name must be a string, not 1.
      → Use letters, digits, "-", "_" and ".", beginning with a letter or digit
`,
  },

  // --- Keys
  'a key is misspelt': {
    settings: web('"ARG": {"bind": ":8000"}'),
    code: 4,
    shows: `E106  PRODUCTION_PROCESSES["web"]["ARG"]
      A process has no key "ARG".
      → Did you mean ARGS?
`,
  },
  'a key is nothing that is known': {
    settings: web('"WORKERS": 4'),
    code: 4,
    shows: `E106  PRODUCTION_PROCESSES["web"]["WORKERS"]
      A process has no key "WORKERS".
      → Known keys: BACKEND, APP, ARGS, ENV, ENV_FILE, CWD, INSTANCES, RUN, DEPENDS_ON, READY, ALIVE, RESTART, STOP, RELOAD, MEMORY_LIMIT, SCHEDULE, TZ, USER, GROUP, UMASK, NICE, LIMITS, LOG, ENABLED
`,
  },
  'BACKEND is in lower case': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"backend": "gunicorn"}}',
    code: 4,
    shows: `E106  PRODUCTION_PROCESSES["web"]["backend"]
      A process has no key "backend".
      → Did you mean BACKEND?
`,
  },
  'a key is not a string': {
    settings: web('2: 3'),
    code: 4,
    shows: `E106  PRODUCTION_PROCESSES["web"][2]
      A process has no key "2".
      → Known keys: BACKEND, APP, ARGS, ENV, ENV_FILE, CWD, INSTANCES, RUN, DEPENDS_ON, READY, ALIVE, RESTART, STOP, RELOAD, MEMORY_LIMIT, SCHEDULE, TZ, USER, GROUP, UMASK, NICE, LIMITS, LOG, ENABLED
`,
  },
  'a key inside a key is misspelt': {
    settings: web('"STOP": {"tiemout": "30s"}'),
    code: 4,
    shows: `E106  PRODUCTION_PROCESSES["web"]["STOP"]["tiemout"]
      STOP has no key "tiemout".
      → Did you mean timeout?
`,
  },
  'a key inside a key is nothing that is known': {
    settings: web('"READY": {"url": "/"}'),
    code: 4,
    shows: `E106  PRODUCTION_PROCESSES["web"]["READY"]["url"]
      READY has no key "url".
      → Known keys: http, tcp, exec, log, delay, notify, interval, timeout, failures
`,
  },
  'a key of the defaults is unknown, once for all processes': {
    settings: `${two('{"BACKEND": "gunicorn"}', bound(':9000'))}\nPRODUCTION_PROCESS_DEFAULTS = {"ENVS": {}}`,
    code: 4,
    shows: `E106  PRODUCTION_PROCESS_DEFAULTS["ENVS"]
      A process has no key "ENVS".
      → Did you mean ENV?
`,
  },

  // --- BACKEND
  'BACKEND is missing': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"ARGS": {}}}',
    code: 4,
    shows: `E201  PRODUCTION_PROCESSES["web"]
      BACKEND is missing.
      → Name what runs, for example "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"
`,
  },
  'BACKEND is empty': {
    settings: backend(''),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["BACKEND"]
      BACKEND must be the import path or the short name of a backend, not "".
      → Name what runs, for example "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"
`,
  },
  'BACKEND is not a string': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": None}}',
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["BACKEND"]
      BACKEND must be a string, not None.
      → Name what runs, for example "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"
`,
  },
  'BACKEND is a class': {
    settings: 'class Gunicorn:\n    pass\n\nPRODUCTION_PROCESSES = {"web": {"BACKEND": Gunicorn}}',
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["BACKEND"]
      BACKEND must be a string, not a type (<class 'mysite.settings.Gunicorn'>).
      → Name what runs, for example "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"
`,
  },
  'a short name is misspelt': {
    settings: backend('gunicron'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "gunicron": there is no built-in backend of that name.
      → Did you mean "gunicorn"?
`,
  },
  'a short name is not known': {
    settings: backend('apache'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "apache": there is no built-in backend of that name.
      → See the known backends: prodserver backends
`,
  },
  'a backend package is not installed': {
    settings: backend('@acme/prodserver-caddy'),
    files: { 'pnpm-lock.yaml': '' },
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "@acme/prodserver-caddy": the package @acme/prodserver-caddy is not installed in <project>/node_modules.
      → pnpm add @acme/prodserver-caddy
`,
  },
  'the name of a backend package is misspelt': {
    settings: backend('prodserver-backend-cady'),
    files: backendPackage('export default {}'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "prodserver-backend-cady": there is no built-in backend of that name.
      → Did you mean "prodserver-backend-caddy"?
`,
  },
  'a backend package throws while it is imported': {
    settings: backend('prodserver-backend-caddy'),
    files: backendPackage('throw new Error("no such region")'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "prodserver-backend-caddy": no such region
          at file://<project>/node_modules/prodserver-backend-caddy/index.js:1:7
      → See it alone: cd <project> && node -e 'import("prodserver-backend-caddy")'
`,
  },
  'a backend package ships TypeScript': {
    settings: backend('prodserver-backend-caddy'),
    files: {
      ...backendPackage('', { exports: './index.ts' }),
      'node_modules/prodserver-backend-caddy/index.ts': 'export default {}',
    },
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "prodserver-backend-caddy": it ships TypeScript, which Node does not run below node_modules.
      → A package ships JavaScript: its author builds it before it is published
`,
  },
  'a backend package exports nothing by default': {
    settings: backend('prodserver-backend-caddy'),
    files: backendPackage('export const caddy = {}'),
    code: 4,
    shows: `E208  PRODUCTION_PROCESSES["web"]["BACKEND"]
      prodserver-backend-caddy does not export a backend: there is no default export.
      → export default { name, title, summary, kind, command } satisfies Backend
`,
  },
  'a backend package exports something else': {
    settings: backend('prodserver-backend-caddy'),
    files: backendPackage(
      'export default { name: "caddy", title: "Caddy", kind: "server", comand: () => {}, stop: { timeout: 5 } }',
    ),
    code: 4,
    shows: `E208  PRODUCTION_PROCESSES["web"]["BACKEND"]
      prodserver-backend-caddy does not export a backend: summary is missing; kind must be one of "web", "worker", "scheduler", "task", not "server"; command is missing; stop.timeout is not known; comand is not known, command is.
      → export default { name, title, summary, kind, command } satisfies Backend
`,
  },
  'a backend package is written for a future prodserver': {
    settings: backend('prodserver-backend-caddy'),
    files: backendPackage('export default { contract: 2, start: () => {} }'),
    code: 4,
    shows: `E211  PRODUCTION_PROCESSES["web"]["BACKEND"]
      prodserver-backend-caddy 1.2.3 is written for version 2 of the backend contract, and this prodserver knows version 1.
      → npm install prodserver@latest, or another version of prodserver-backend-caddy
`,
  },
  'the npm package of a backend is not installed where it is to run': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "next", "CWD": "front"}}',
    files: { 'front/yarn.lock': '' },
    code: 4,
    shows: `E203  PRODUCTION_PROCESSES["web"]["BACKEND"]
      next is not installed for <project>/front, so "web" cannot start: Next.js needs it.
      → cd <project>/front && yarn add next
`,
  },
  'there is no package.json in the folder': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "npm-script", "APP": "start"}}',
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be found: there is no package.json in <project> that can be read.
      → Name the folder that has it in CWD, relative to the project
`,
  },
  'the script of a package is misspelt': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "npm-script", "APP": "strat", "CWD": "front"}}',
    files: { 'front/package.json': '{"scripts": {"start": "node server.js"}}' },
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be found: <project>/front/package.json has no script "strat".
      → Did you mean "start"?
`,
  },
  'the class of a path is misspelt': {
    settings: backend('django_prodserver.backends.gunicorn.GunicornSever'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "django_prodserver.backends.gunicorn.GunicornSever": there is no built-in backend of that path.
      → Did you mean "django_prodserver.backends.gunicorn.GunicornServer"?
`,
  },
  'the module of a path is misspelt': {
    settings: backend('django_prodserver.backends.gunicron.GunicornServer'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "django_prodserver.backends.gunicron.GunicornServer": there is no built-in backend of that path.
      → Did you mean "django_prodserver.backends.gunicorn.GunicornServer"?
`,
  },
  'the package of a path is misspelt': {
    settings: backend('django_prodsever.backends.gunicorn.GunicornServer'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "django_prodsever.backends.gunicorn.GunicornServer": No module named 'django_prodsever'.
      → Did you mean "django_prodserver.backends.gunicorn.GunicornServer"?
`,
  },
  'a class of the project is in no such module': {
    settings: backend('mysite.servers.Caddy'),
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "mysite.servers.Caddy": No module named 'mysite.servers'.
      → Name a class of your own by its import path, as Python imports it from the folder with manage.py
`,
  },
  'a class of the project is misspelt': {
    settings: backend('mysite.servers.Cady'),
    files: { 'mysite/servers.py': 'class Caddy:\n    pass\n' },
    code: 4,
    shows: `E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "mysite.servers.Cady": module 'mysite.servers' has no attribute 'Cady'.
      → Did you mean "mysite.servers.Caddy"?
`,
  },
  'the Django app of the backend is not installed': {
    settings: backend('django-q2'),
    code: 4,
    shows: `E204  INSTALLED_APPS
      django-q2 needs "django_q" in INSTALLED_APPS.
      → Add "django_q" to INSTALLED_APPS, then: python manage.py migrate
`,
  },

  // --- Applications
  'Celery is not told its application': {
    settings: backend('celery-worker'),
    code: 4,
    shows: `E205  PRODUCTION_PROCESSES["web"]
      APP is missing: celery worker must be told what to run.
      → Add "APP": "myproject.celery.app"
`,
  },
  'APP is empty': {
    settings: celery(''),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["APP"]
      APP must be a string that is not empty, not "".
`,
  },
  'the module of the Celery application is missing': {
    settings: celery('mysite.celery.app'),
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: ModuleNotFoundError: No module named 'mysite.celery'
      → Create <project>/mysite/celery.py, or name the module that has it
`,
  },
  'the module of the Celery application is misspelt': {
    settings: celery('mysite.clery.app'),
    files: { 'mysite/celery.py': CELERY_MODULE },
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: ModuleNotFoundError: No module named 'mysite.clery'
      → Did you mean "mysite.celery.app"?
`,
  },
  'the package of the Celery application is none of the project': {
    settings: celery('shop.celery.app'),
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: ModuleNotFoundError: No module named 'shop'
      → Name the Celery application by its import path, such as "mysite.celery.app"
`,
  },
  'the Celery application is not in its module': {
    settings: celery('mysite.celery.ap'),
    files: { 'mysite/celery.py': CELERY_MODULE },
    args: ['check'],
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: ImportError: module 'mysite.celery' has no attribute 'ap'
      → Did you mean "mysite.celery.app"?

1 error in <project>/mysite/settings.py.
`,
  },
  'the module of the Celery application raises': {
    settings: celery('mysite.celery:app'),
    files: { 'mysite/celery.py': '\nraise KeyError("BROKER_HOST")\n' },
    args: ['check'],
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: KeyError: 'BROKER_HOST'
        File "<project>/mysite/celery.py", line 2, in <module>
          raise KeyError("BROKER_HOST")
      KeyError: 'BROKER_HOST'
      → See it alone: <python> -c "import mysite.celery"

1 error in <project>/mysite/settings.py.
`,
  },
  'the module of the Celery application imports what is not installed': {
    settings: celery('mysite.celery.app'),
    files: { 'mysite/celery.py': 'import kombu_extra\n' },
    args: ['check'],
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: ModuleNotFoundError: No module named 'kombu_extra'
        File "<project>/mysite/celery.py", line 1, in <module>
          import kombu_extra
      ModuleNotFoundError: No module named 'kombu_extra'
      → If it is a package of that name: <python> -m pip install kombu_extra

1 error in <project>/mysite/settings.py.
`,
  },
  'the module of the Celery application imports what the project does not have': {
    settings: celery('mysite.celery.app'),
    files: { 'mysite/celery.py': 'from mysite.queues import ALL\n' },
    args: ['check'],
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be imported: ModuleNotFoundError: No module named 'mysite.queues'
        File "<project>/mysite/celery.py", line 1, in <module>
          from mysite.queues import ALL
      ModuleNotFoundError: No module named 'mysite.queues'
      → Create it, or look: ls <project>/mysite

1 error in <project>/mysite/settings.py.
`,
  },
  'the Celery application is something else': {
    settings: celery('mysite.celery.app'),
    files: { 'mysite/celery.py': 'app = "mysite"\n' },
    args: ['check'],
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP is not a Celery application: mysite.celery.app is of the type str.
      → Name the Celery application by its import path, such as "mysite.celery.app"

1 error in <project>/mysite/settings.py.
`,
  },
  'there is no WSGI application': {
    settings: `${GOOD}\ndel WSGI_APPLICATION`,
    files: { 'mysite/wsgi.py': null },
    code: 4,
    shows: `E207  WSGI_APPLICATION
      The project has no WSGI application: WSGI_APPLICATION is not set, and there is no wsgi.py beside mysite.settings.
      → Set WSGI_APPLICATION = "mysite.wsgi.application", or create <project>/mysite/wsgi.py
`,
  },
  'there is no ASGI application': {
    settings: backend('uvicorn'),
    files: { 'mysite/asgi.py': null },
    code: 4,
    shows: `E207  ASGI_APPLICATION
      The project has no ASGI application: ASGI_APPLICATION is not set, and there is no asgi.py beside mysite.settings.
      → Set ASGI_APPLICATION = "mysite.asgi.application", or create <project>/mysite/asgi.py
`,
  },
  'the module of the WSGI application is misspelt': {
    settings: `${GOOD}\nWSGI_APPLICATION = "mysite.wsgy.application"`,
    code: 4,
    shows: `E206  WSGI_APPLICATION
      The WSGI application cannot be imported: ModuleNotFoundError: No module named 'mysite.wsgy'
      → Did you mean "mysite.wsgi.application"?
`,
  },
  'the WSGI application is not in its module': {
    settings: `${GOOD}\nWSGI_APPLICATION = "mysite.wsgi.app"`,
    args: ['check'],
    code: 4,
    shows: `E206  WSGI_APPLICATION
      The WSGI application cannot be imported: ImportError: module 'mysite.wsgi' has no attribute 'app'
      → Name what get_wsgi_application() returns by its import path, such as "mysite.wsgi.application"

1 error in <project>/mysite/settings.py.
`,
  },
  'the script of a Node server does not exist': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "node", "APP": "frontend/server.js"}}',
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be found: there is no file <project>/frontend/server.js.
      → Look: ls <project>/frontend
`,
  },
  'the words of a command cannot be told apart': {
    settings: `PRODUCTION_PROCESSES = {"web": {"BACKEND": "command", "APP": "echo 'hello"}}`,
    code: 4,
    shows: `E206  PRODUCTION_PROCESSES["web"]["APP"]
      APP cannot be split into words: a quote is not closed.
      → Quote as in a shell: "collectstatic --noinput"
`,
  },
  'a program is not installed': {
    settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "command", "APP": "no-such-program run"}}',
    code: 127,
    checkCode: 4,
    shows: `E501  PRODUCTION_PROCESSES["web"]
      The program no-such-program was not found on PATH.
      → Install it, or name it by its full path
`,
  },

  // --- ARGS
  'ARGS is a string': {
    settings: withArgs('"--workers=4"'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]
      Invalid ARGS configuration: ARGS must be a dictionary, not a string.
      → Write: "ARGS": {"workers": 4}
`,
  },
  'ARGS is a list': {
    settings: withArgs('["--workers=4"]'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]
      Invalid ARGS configuration: ARGS must be a dictionary, not a list.
      → Write: "ARGS": {"workers": 4}
`,
  },
  'ARGS has a dictionary in it': {
    settings: withArgs('{"bind": {"port": 8000}}'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["bind"]
      Invalid ARGS configuration: "bind" is a dictionary, which cannot become an option.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'ARGS has a function in it': {
    settings: withArgs('{"post-fork": lambda: None}'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["post-fork"]
      Invalid ARGS configuration: "post-fork" is a function (<function <lambda> at 0x…>), which cannot become an option.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'ARGS has bytes in it': {
    settings: withArgs('{"name": b"web"}'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["name"]
      Invalid ARGS configuration: "name" is bytes (b'web'), which cannot become an option.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'ARGS has a NUL byte in it': {
    settings: withArgs('{"name": "a\\0b"}'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["name"]
      Invalid ARGS configuration: "name" has a NUL byte, which no command line can carry.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'ARGS has None in a list': {
    settings: withArgs('{"bind": [":8000", None]}'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["bind"]
      Invalid ARGS configuration: "bind" has a list with None.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'ARGS has no number in it': {
    settings: withArgs('{"timeout": float("nan")}'),
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["timeout"]
      Invalid ARGS configuration: "timeout" is a float (nan), which cannot become an option.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'ARGS holds itself': {
    settings: `args = {}\nargs["bind"] = [args, args, args]\n${withArgs('args')}`,
    code: 4,
    shows: `E301  PRODUCTION_PROCESSES["web"]["ARGS"]["bind"]
      Invalid ARGS configuration: "bind" has a list with a dict ({'bind': [{...}, {...}, {...}]}).
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers
`,
  },
  'a key of ARGS has dashes': {
    settings: withArgs('{"--workers": 4}'),
    code: 4,
    shows: `E302  PRODUCTION_PROCESSES["web"]["ARGS"]["--workers"]
      Invalid ARGS configuration: the key "--workers" is not an option name.
      → Write "workers"
`,
  },
  'a key of ARGS has its value as well': {
    settings: withArgs('{"workers=4": True}'),
    code: 4,
    shows: `E302  PRODUCTION_PROCESSES["web"]["ARGS"]["workers=4"]
      Invalid ARGS configuration: the key "workers=4" is not an option name.
      → Write "workers"
`,
  },
  'a key of ARGS has a space': {
    settings: withArgs('{"worker class": "sync"}'),
    code: 4,
    shows: `E302  PRODUCTION_PROCESSES["web"]["ARGS"]["worker class"]
      Invalid ARGS configuration: the key "worker class" is not an option name.
      → Write "worker-class"
`,
  },
  'a key of ARGS is not a string': {
    settings: withArgs('{8000: "bind"}'),
    code: 4,
    shows: `E302  PRODUCTION_PROCESSES["web"]["ARGS"][8000]
      Invalid ARGS configuration: the key 8000 is not a string.
      → Keys are option names without dashes: "workers"
`,
  },
  'a value of ARGS is longer than any command line': {
    settings: withArgs('{"name": "x" * 200_000}'),
    code: 1,
    checkCode: 4,
    shows: `E504  PRODUCTION_PROCESSES["web"]
      One word is longer than the system allows (200008 bytes, at most 131071): --name…
      → Put long values into a file that the program reads
`,
  },
  'an option does not exist, and is left out': {
    settings: `PRODUCTION_PROCESSES = {"web": {"BACKEND": "django-tasks", "ARGS": {"threads": 4}}}\nINSTALLED_APPS += ["django_tasks_db"]`,
    args: ['check'],
    code: 0,
    shows: `W301  PRODUCTION_PROCESSES["web"]["ARGS"]["threads"]
      django-tasks has no option "threads"; it is left out.
      → It runs one task at a time. For more, declare INSTANCES, or start it several times

1 warning in <project>/mysite/settings.py.
`,
  },

  // --- Values
  'a duration is none': {
    settings: web('"STOP": {"timeout": "10 parsecs"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["STOP"]["timeout"]
      STOP["timeout"] must be a duration, such as "30s", "5m" or a number of seconds, not "10 parsecs".
`,
  },
  'a duration is negative': {
    settings: web('"READY": {"http": "/", "interval": -1}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["READY"]["interval"]
      READY["interval"] must be a duration, such as "30s", "5m" or a number of seconds, not -1.
`,
  },
  'a size is none': {
    settings: web('"MEMORY_LIMIT": "lots"'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["MEMORY_LIMIT"]
      MEMORY_LIMIT must be a size, such as "512M" or a number of bytes, not "lots".
`,
  },
  'a signal is none': {
    settings: web('"STOP": {"signal": "SIGFOO"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["STOP"]["signal"]
      STOP["signal"] must be a signal: TERM, INT, QUIT, HUP, USR1, USR2 or KILL, not "SIGFOO".
`,
  },
  'a probe is no dictionary': {
    settings: web('"READY": ["http"]'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["READY"]
      READY must be a dictionary with exactly one of http, tcp, exec, log, delay or notify, not a list.
`,
  },
  'a probe is none': {
    settings: web('"READY": {"interval": "5s"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["READY"]
      READY must be a dictionary with exactly one of http, tcp, exec, log, delay or notify.
`,
  },
  'a probe is two': {
    settings: web('"READY": {"http": "/", "tcp": 8000}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["READY"]
      READY must be a dictionary with exactly one of http, tcp, exec, log, delay or notify.
`,
  },
  'a probe asks for no path': {
    settings: web('"ALIVE": {"http": "health"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["ALIVE"]["http"]
      ALIVE["http"] must be a path such as "/health/", or a URL, not "health".
`,
  },
  'a restart policy is none': {
    settings: web('"RESTART": "sometimes"'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["RESTART"]
      RESTART must be "always", "on-failure", "never", or a dictionary with policy, delay, max_delay, limit and window, not "sometimes".
`,
  },
  'a value in a restart policy is none': {
    settings: web('"RESTART": {"delay": "soon"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["RESTART"]["delay"]
      RESTART["delay"] must be a duration, such as "30s", "5m" or a number of seconds, not "soon".
`,
  },
  'a condition is none': {
    settings: web('"DEPENDS_ON": {"db": "up"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["DEPENDS_ON"]["db"]
      DEPENDS_ON["db"] must be one of "started", "ready", "completed", not "up".
`,
  },
  'a number of instances is none': {
    settings: web('"INSTANCES": "2"'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["INSTANCES"]
      INSTANCES must be a whole number of at least 1, or "cpu", not "2".
`,
  },
  'a schedule is none': {
    settings: web('"SCHEDULE": "daily"'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["SCHEDULE"]
      SCHEDULE must be a cron expression of five or six fields, not "daily".
`,
  },
  'a file mode mask is a number': {
    settings: web('"UMASK": 0o27'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["UMASK"]
      UMASK must be an octal number as a string, such as "027", not 23.
`,
  },
  'ENV is a list': {
    settings: web('"ENV": ["A=b"]'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["ENV"]
      ENV must be a dictionary, not a list.
`,
  },
  'a variable is a list': {
    settings: web('"ENV": {"A": ["b"]}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["ENV"]["A"]
      ENV["A"] must be a string, a number or None, not a list.
`,
  },
  'the name of a variable is a number': {
    settings: web('"ENV": {1: "b"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["ENV"][1]
      A key of ENV must be a string, not 1.
`,
  },
  'the name of a variable has a value': {
    settings: web('"ENV": {"A=b": "c"}'),
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["ENV"]["A=b"]
      This cannot be an environment variable: a name must not be empty or have "=", and neither may have a NUL byte.
`,
  },
  'an environment file does not exist': {
    settings: web('"ENV_FILE": ".env.production"'),
    code: 4,
    shows: `E111  PRODUCTION_PROCESSES["web"]["ENV_FILE"]
      The environment file <project>/.env.production cannot be read: it does not exist.
      → Look: ls -l <project>/.env.production
`,
  },
  'the working directory does not exist': {
    settings: web('"CWD": "var"'),
    code: 1,
    checkCode: 4,
    shows: `E503  PRODUCTION_PROCESSES["web"]["CWD"]
      The working directory <project>/var does not exist.
      → Create it: mkdir -p <project>/var
`,
  },

  // --- Several processes
  'a dependency is misspelt': {
    settings: two('{"BACKEND": "gunicorn"}', '{"BACKEND": "command", "APP": "true", "DEPENDS_ON": "wbe"}'),
    args: ['check'],
    code: 4,
    shows: `E109  PRODUCTION_PROCESSES["api"]["DEPENDS_ON"]
      It depends on "wbe", which is not declared.
      → Did you mean "web"?

1 error in <project>/mysite/settings.py.
`,
  },
  'a dependency is not declared': {
    settings: web('"DEPENDS_ON": ["postgres"]'),
    code: 4,
    shows: `E109  PRODUCTION_PROCESSES["web"]["DEPENDS_ON"]
      It depends on "postgres", which is not declared.
      → Declared: web
`,
  },
  'processes depend on each other': {
    settings: two(
      '{"BACKEND": "command", "APP": "true", "DEPENDS_ON": "api"}',
      '{"BACKEND": "command", "APP": "true", "DEPENDS_ON": "web"}',
    ),
    args: ['check'],
    code: 4,
    shows: `E110  PRODUCTION_PROCESSES["web"]["DEPENDS_ON"]
      Processes depend on each other in a circle: web → api → web.
      → Remove one of these dependencies

1 error in <project>/mysite/settings.py.
`,
  },
  'a scheduler is declared to run twice': {
    settings: celery('mysite.celery.app', '"INSTANCES": 2', 'beat'),
    files: { 'mysite/celery.py': CELERY_MODULE },
    code: 4,
    shows: `E402  PRODUCTION_PROCESSES["web"]["INSTANCES"]
      A scheduler runs once: several instances of celery beat would each run every job.
      → Remove INSTANCES
`,
  },
  'two schedulers have one application': {
    settings: `PRODUCTION_PROCESSES = {name: {"BACKEND": "celery-beat", "APP": "mysite.celery.app"} for name in ("beat", "again")}`,
    files: { 'mysite/celery.py': CELERY_MODULE },
    args: ['check'],
    code: 4,
    shows: `E402  PRODUCTION_PROCESSES["again"]
      It schedules the jobs of mysite.celery.app, and so does "beat": every job would run twice.
      → Keep one of them

1 error in <project>/mysite/settings.py.
`,
  },
  'two processes have one port': {
    settings: two(bound('127.0.0.1:8000'), bound('127.0.0.1:8000')),
    args: ['check'],
    code: 4,
    shows: `E401  PRODUCTION_PROCESSES["api"]
      It listens on 127.0.0.1:8000, and so does "web".
      → Give each process an address of its own in its ARGS

1 error in <project>/mysite/settings.py.
`,
  },
  'one process has a port of an address, the other of all': {
    settings: two(bound('0.0.0.0:8000'), bound('127.0.0.1:8000')),
    args: ['check'],
    code: 4,
    shows: `E401  PRODUCTION_PROCESSES["api"]
      It listens on 127.0.0.1:8000, and so does "web" (on 0.0.0.0:8000).
      → Give each process an address of its own in its ARGS

1 error in <project>/mysite/settings.py.
`,
  },
  'one process has a port of all addresses of version 6, the other of one of version 4': {
    settings: two(bound('[::]:8000'), bound('127.0.0.1:8000')),
    args: ['check'],
    code: 4,
    shows: `E401  PRODUCTION_PROCESSES["api"]
      It listens on 127.0.0.1:8000, and so does "web" (on [::]:8000).
      → Give each process an address of its own in its ARGS

1 error in <project>/mysite/settings.py.
`,
  },
  'processes have one port that is nowhere written down': {
    settings: `PRODUCTION_PROCESSES = {"a": {"BACKEND": "gunicorn"}, "b": {"BACKEND": "uvicorn"}, "c": {"BACKEND": "granian-wsgi"}}`,
    args: ['check'],
    code: 4,
    shows: `E401  PRODUCTION_PROCESSES["b"]
      It listens on 127.0.0.1:8000, and so does "a".
      → Give each process an address of its own in its ARGS

E401  PRODUCTION_PROCESSES["c"]
      It listens on 127.0.0.1:8000, and so do "a", "b".
      → Give each process an address of its own in its ARGS

2 errors in <project>/mysite/settings.py.
`,
  },
  'two processes have one socket': {
    settings: two(bound('unix:/run/web.sock'), '{"BACKEND": "uvicorn", "ARGS": {"uds": "/run/web.sock"}}'),
    args: ['check'],
    code: 4,
    shows: `E401  PRODUCTION_PROCESSES["api"]
      It listens on unix:/run/web.sock, and so does "web".
      → Give each process an address of its own in its ARGS

1 error in <project>/mysite/settings.py.
`,
  },
  'several processes have several mistakes': {
    settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicron", "ARG": {}, "STOP": {"timeout": "x", "signal": "y"}},
    "worker": {"BACKEND": "celery-worker", "ARGS": {"--concurrency": 1, "queues": {}}},
    "cluster": {"BACKEND": "django-q2", "DEPENDS_ON": ["wbe"]},
    5: {},
}`,
    args: ['check'],
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["STOP"]["signal"]
      STOP["signal"] must be a signal: TERM, INT, QUIT, HUP, USR1, USR2 or KILL, not "y".

E107  PRODUCTION_PROCESSES["web"]["STOP"]["timeout"]
      STOP["timeout"] must be a duration, such as "30s", "5m" or a number of seconds, not "x".

E106  PRODUCTION_PROCESSES["web"]["ARG"]
      A process has no key "ARG".
      → Did you mean ARGS?

E202  PRODUCTION_PROCESSES["web"]["BACKEND"]
      Cannot import BACKEND "gunicron": there is no built-in backend of that name.
      → Did you mean "gunicorn"?

E205  PRODUCTION_PROCESSES["worker"]
      APP is missing: celery worker must be told what to run.
      → Add "APP": "myproject.celery.app"

E302  PRODUCTION_PROCESSES["worker"]["ARGS"]["--concurrency"]
      Invalid ARGS configuration: the key "--concurrency" is not an option name.
      → Write "concurrency"

E301  PRODUCTION_PROCESSES["worker"]["ARGS"]["queues"]
      Invalid ARGS configuration: "queues" is a dictionary, which cannot become an option.
      → Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers

E204  INSTALLED_APPS
      django-q2 needs "django_q" in INSTALLED_APPS.
      → Add "django_q" to INSTALLED_APPS, then: python manage.py migrate

E109  PRODUCTION_PROCESSES["cluster"]["DEPENDS_ON"]
      It depends on "wbe", which is not declared.
      → Did you mean "web"?

E105  PRODUCTION_PROCESSES[5]
      A process name must be a string, not 5.
      → Use letters, digits, "-", "_" and ".", beginning with a letter or digit

10 errors in <project>/mysite/settings.py.
`,
  },

  // --- The project
  'there is no project': {
    files: { 'manage.py': null },
    cwd: 'empty',
    code: 1,
    shows: `E001  <project>/empty
      No Django project was found: there is no manage.py here, above or one folder down.
      → Go to your Django project, or name it: --project path/to/folder
`,
  },
  'there are several projects': {
    files: { 'manage.py': null, 'one/manage.py': '', 'the other/manage.py': '' },
    code: 1,
    shows: `E002  <project>
      There is no manage.py here, and 2 below: one/manage.py, the other/manage.py.
      → Choose one: --project one
`,
  },
  '--project leads nowhere': {
    settings: GOOD,
    options: ['--project', 'nowhere'],
    code: 1,
    shows: `E001  --project
      <project>/nowhere is not a folder.
      → Look: ls <project>
`,
  },
  '--project is a file': {
    settings: GOOD,
    options: ['--project', 'mysite/settings.py'],
    code: 1,
    shows: `E001  --project
      <project>/mysite/settings.py is not a folder.
      → Look: ls <project>/mysite
`,
  },
  'nothing names the settings': {
    settings: GOOD,
    options: ['--project', 'mysite'],
    code: 1,
    shows: `E003  <project>/mysite
      The settings module is not known: nothing names it.
      → Name it: --settings mysite.settings, or set DJANGO_SETTINGS_MODULE
`,
  },
  'manage.py does not name the settings': {
    settings: GOOD,
    files: { 'manage.py': 'from django.core.management import execute_from_command_line\n' },
    code: 1,
    shows: `E003  <project>/manage.py
      manage.py was run, and did not set DJANGO_SETTINGS_MODULE.
      → Name it: --settings mysite.settings
`,
  },
  'the settings of --settings do not exist': {
    settings: GOOD,
    options: ['--settings', 'mysite.production'],
    code: 1,
    shows: `E006  --settings
      The settings module mysite.production cannot be found: there is no module mysite.production in <project>.
      → It was named by --settings. Look: ls <project>/mysite
`,
  },
  'the settings of the environment do not exist': {
    settings: GOOD,
    env: { DJANGO_SETTINGS_MODULE: 'shop.settings' },
    code: 1,
    shows: `E006  DJANGO_SETTINGS_MODULE
      The settings module shop.settings cannot be found: there is no module shop in <project>.
      → It was named by DJANGO_SETTINGS_MODULE. Look: ls <project>
`,
  },
  'the settings of manage.py do not exist': {
    files: { 'mysite/settings.py': null },
    code: 1,
    shows: `E006  manage.py
      The settings module mysite.settings cannot be found: there is no module mysite.settings in <project>.
      → It was named by manage.py. Look: ls <project>/mysite
`,
  },
  'the settings of an unusual manage.py do not exist': {
    files: { ...manage('os.environ["DJANGO_SETTINGS_MODULE"] = "mysite." + "staging"') },
    code: 1,
    shows: `E006  manage.py
      The settings module mysite.staging cannot be found: there is no module mysite.staging in <project>.
      → It was named by manage.py. Look: ls <project>/mysite
`,
  },
  'the settings are named as a file': {
    settings: GOOD,
    options: ['--settings', 'mysite/settings.py'],
    code: 1,
    shows: `E006  --settings
      The settings module mysite/settings.py cannot be found: there is no module mysite/settings in <project>.
      → A settings module is written with dots: mysite.settings
`,
  },

  // --- The interpreter
  'there is no interpreter': {
    settings: GOOD,
    env: { PATH: '<project>/empty', PRODSERVER_PYTHON: undefined },
    code: 1,
    shows: `E004  PATH
      There is no \`python3\` on PATH, and the project has no virtual environment.
      → Create one: python3 -m venv .venv, or name one: --python /path/to/python
`,
  },
  '--python leads nowhere': {
    settings: GOOD,
    options: ['--python', '/nowhere/python'],
    code: 1,
    shows: `E004  --python
      There is no Python interpreter /nowhere/python.
      → Look: ls /nowhere
`,
  },
  '--python is not on PATH': {
    settings: GOOD,
    options: ['--python', 'python9'],
    code: 1,
    shows: `E004  --python
      There is no program python9 on PATH.
      → Name it by its path: --python /path/to/python
`,
  },
  '--python is a folder without an interpreter': {
    settings: GOOD,
    options: ['--python', 'mysite'],
    code: 1,
    shows: `E004  --python
      <project>/mysite is not a virtual environment: there is no bin/python in it.
      → Create one: python3 -m venv <project>/mysite
`,
  },
  '--python cannot be executed': {
    settings: GOOD,
    options: ['--python', 'manage.py'],
    code: 1,
    shows: `E004  <project>/manage.py
      This interpreter (chosen by --python) cannot be started: it is not executable.
      → Look: ls -l <project>/manage.py
`,
  },
  'PRODSERVER_PYTHON leads nowhere': {
    settings: GOOD,
    env: { PRODSERVER_PYTHON: '<project>/.venv/bin/python' },
    code: 1,
    shows: `E004  PRODSERVER_PYTHON
      There is no Python interpreter <project>/.venv/bin/python.
      → Look: ls <project>/.venv/bin
`,
  },
  'the tool that knows the environment is not installed': {
    settings: GOOD,
    files: { 'poetry.lock': '' },
    env: { PATH: '<project>/empty', PRODSERVER_PYTHON: undefined },
    code: 1,
    shows: `E004  poetry.lock
      The project uses poetry, which cannot be started.
      → Install poetry, or name an interpreter: --python /path/to/python
`,
  },
  'the settings import Django, which the interpreter does not have': {
    settings: `import django\n\n${GOOD}`,
    env: { PRODSERVER_PYTHON: BARE_PYTHON },
    code: 1,
    shows: `E005  <bare python>
      Django is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
      → <bare python> -m pip install django, or choose another: --python path/to/python
`,
  },
  'manage.py must be run, and the interpreter has no Django': {
    settings: GOOD,
    files: manage(''),
    env: { PRODSERVER_PYTHON: BARE_PYTHON },
    code: 1,
    shows: `E005  <bare python>
      Django is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
      → <bare python> -m pip install django, or choose another: --python path/to/python
`,
  },
  'neither Django nor the package of the backend is installed': {
    settings: GOOD,
    env: { PRODSERVER_PYTHON: BARE_PYTHON },
    code: 4,
    shows: `E005  <bare python>
      Django is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
      → <bare python> -m pip install django, or choose another: --python path/to/python

E203  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn is not installed in <bare python> (chosen by PRODSERVER_PYTHON), so "web" cannot start.
      → <bare python> -m pip install gunicorn
`,
  },
  'what is not installed is added by uv': {
    settings: GOOD,
    files: { 'uv.lock': '' },
    env: { PRODSERVER_PYTHON: BARE_PYTHON },
    code: 4,
    shows: `E005  <bare python>
      Django is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
      → uv add django, or choose another: --python path/to/python

E203  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn is not installed in <bare python> (chosen by PRODSERVER_PYTHON), so "web" cannot start.
      → uv add gunicorn
`,
  },
  'what is not installed is added by poetry': {
    settings: GOOD,
    files: { 'poetry.lock': '' },
    env: { PRODSERVER_PYTHON: BARE_PYTHON },
    code: 4,
    shows: `E005  <bare python>
      Django is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
      → poetry add django, or choose another: --python path/to/python

E203  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn is not installed in <bare python> (chosen by PRODSERVER_PYTHON), so "web" cannot start.
      → poetry add gunicorn
`,
  },
  'what is not installed is added by pipenv': {
    settings: GOOD,
    files: { 'Pipfile.lock': '' },
    env: { PRODSERVER_PYTHON: BARE_PYTHON },
    code: 4,
    shows: `E005  <bare python>
      Django is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
      → pipenv install django, or choose another: --python path/to/python

E203  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn is not installed in <bare python> (chosen by PRODSERVER_PYTHON), so "web" cannot start.
      → pipenv install gunicorn
`,
  },

  // --- Settings that do not come to an end
  'the settings raise': {
    settings: 'from mysite.environment import need\n\nKEY = need("SHOP_KEY")',
    files: { 'mysite/environment.py': 'def need(name):\n    return {}[name]\n' },
    code: 1,
    shows: `E007  <project>/mysite/environment.py:2
      The settings raise KeyError: 'SHOP_KEY'
        File "<project>/mysite/settings.py", line 17, in <module>
          KEY = need("SHOP_KEY")
        File "<project>/mysite/environment.py", line 2, in need
          return {}[name]
      KeyError: 'SHOP_KEY'
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings raise something without a message': {
    settings: 'raise ValueError',
    code: 1,
    shows: `E007  <project>/mysite/settings.py:15
      The settings raise ValueError
        File "<project>/mysite/settings.py", line 15, in <module>
          raise ValueError
      ValueError
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings are improperly configured': {
    settings:
      'from django.core.exceptions import ImproperlyConfigured\n\nraise ImproperlyConfigured("Set SHOP_KEY\\nas the handbook says")',
    code: 1,
    shows: `E007  <project>/mysite/settings.py:17
      The settings raise ImproperlyConfigured: Set SHOP_KEY
        File "<project>/mysite/settings.py", line 17, in <module>
          raise ImproperlyConfigured("Set SHOP_KEY\\nas the handbook says")
      django.core.exceptions.ImproperlyConfigured: Set SHOP_KEY
      as the handbook says
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings cannot be parsed': {
    settings: 'DEBUG = = True',
    code: 1,
    shows: `E007  <project>/mysite/settings.py:15
      The settings raise SyntaxError: invalid syntax (settings.py, line 15)
        File "<project>/mysite/settings.py", line 15
          DEBUG = = True
      SyntaxError: invalid syntax
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'a module of the settings cannot be parsed': {
    settings: 'from mysite.base import *',
    files: { 'mysite/base.py': '\nDEBUG = (\n' },
    code: 1,
    shows: `E007  <project>/mysite/base.py:2
      The settings raise SyntaxError: '(' was never closed (base.py, line 2)
        File "<project>/mysite/settings.py", line 15, in <module>
          from mysite.base import *
        File "<project>/mysite/base.py", line 2
          DEBUG = (
      SyntaxError: '(' was never closed
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings import a package that is not installed': {
    settings: 'import environ',
    code: 1,
    shows: `E008  <project>/mysite/settings.py:15
      environ is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
        File "<project>/mysite/settings.py", line 15, in <module>
          import environ
      ModuleNotFoundError: No module named 'environ'
      → If it is a package of that name: <python> -m pip install environ
`,
  },
  'the settings import a module that the project does not have': {
    settings: 'from .secrets import KEY',
    code: 1,
    shows: `E008  <project>/mysite/settings.py:15
      There is no module mysite.secrets in <project>.
        File "<project>/mysite/settings.py", line 15, in <module>
          from .secrets import KEY
      ModuleNotFoundError: No module named 'mysite.secrets'
      → Create it, or look: ls <project>/mysite
`,
  },
  'the settings import a name that a module does not have': {
    settings: 'from mysite.base import KEY',
    files: { 'mysite/base.py': '' },
    code: 1,
    shows: `E007  <project>/mysite/settings.py:15
      The settings raise ImportError: cannot import name 'KEY' from 'mysite.base' (<project>/mysite/base.py)
        File "<project>/mysite/settings.py", line 15, in <module>
          from mysite.base import KEY
      ImportError: cannot import name 'KEY' from 'mysite.base' (<project>/mysite/base.py)
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings call sys.exit': {
    settings: 'import sys\n\nsys.exit("no key")',
    code: 1,
    shows: `E009  <project>/mysite/settings.py:17
      The settings end the process: sys.exit('no key').
        File "<project>/mysite/settings.py", line 17, in <module>
          sys.exit("no key")
      SystemExit: no key
      → Raise an exception that says what is missing instead: every server and worker imports the settings
`,
  },
  'the settings call os._exit': {
    settings: 'import os\n\nprint("no key", flush=True)\nos._exit(0)',
    code: 1,
    shows: `E009  mysite.settings
      The process that read the settings ended with exit code 0 without an answer.
      no key
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings kill their process': {
    settings: 'import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)',
    code: 1,
    shows: `E011  mysite.settings
      The interpreter was ended by SIGKILL while it read the settings.
      → See it alone: <python> -c "import mysite.settings"
`,
  },
  'the settings hang': {
    settings: 'import threading\n\nfrom mysite.base import wait\n\nwait()',
    files: { 'mysite/base.py': 'import time\n\n\ndef wait():\n    time.sleep(600)\n' },
    env: { PRODSERVER_SETTINGS_TIMEOUT: '1' },
    code: 1,
    shows: `E010  <project>/mysite/base.py:5
      The settings did not finish loading in 1s.
        File "<project>/mysite/settings.py", line 19 in <module>
        File "<project>/mysite/base.py", line 5 in wait
      → Settings should not wait for the network. If they are only slow: PRODSERVER_SETTINGS_TIMEOUT=120
`,
  },
  'the settings hang where nothing can say so': {
    settings: 'import os, signal\n\nos.kill(os.getpid(), signal.SIGSTOP)',
    env: { PRODSERVER_SETTINGS_TIMEOUT: '0.2' },
    code: 1,
    shows: `E010  mysite.settings
      The settings did not finish loading in 0.2s.
      → Settings should not wait for the network. If they are only slow: PRODSERVER_SETTINGS_TIMEOUT=120
`,
  },

  // --- manage.py
  'manage.py raises': {
    settings: GOOD,
    files: manage('raise KeyError("SHOP_STAGE")'),
    code: 1,
    shows: `E012  <project>/manage.py:6
      manage.py raises KeyError: 'SHOP_STAGE' before it reaches Django.
        File "<project>/manage.py", line 6, in <module>
          raise KeyError("SHOP_STAGE")
      KeyError: 'SHOP_STAGE'
      → It fails in the same way: <python> manage.py check
`,
  },
  'manage.py imports what is not installed': {
    settings: GOOD,
    files: manage('import dotenv'),
    code: 1,
    shows: `E008  <project>/manage.py:6
      dotenv is not installed in this interpreter (chosen by PRODSERVER_PYTHON).
        File "<project>/manage.py", line 6, in <module>
          import dotenv
      ModuleNotFoundError: No module named 'dotenv'
      → If it is a package of that name: <python> -m pip install dotenv
`,
  },
  'manage.py exits': {
    settings: GOOD,
    files: manage('sys.exit("not here")'),
    code: 1,
    shows: `E012  <project>/manage.py:6
      manage.py raises SystemExit: 'not here' before it reaches Django.
        File "<project>/manage.py", line 6, in <module>
          sys.exit("not here")
      SystemExit: not here
      → It fails in the same way: <python> manage.py check
`,
  },
  'manage.py cannot be parsed': {
    settings: GOOD,
    files: manage('if True'),
    code: 1,
    shows: `E012  <project>/manage.py:6
      manage.py raises SyntaxError: expected ':' (manage.py, line 6) before it reaches Django.
        File "<project>/manage.py", line 6
          if True
      SyntaxError: expected ':'
      → It fails in the same way: <python> manage.py check
`,
  },
}

for (const [what, mistake] of Object.entries(mistakes)) {
  test(`explains that ${what}, and starts nothing`, (t) => assertExplained(t, mistake))
}

test('every problem is met by a test', () => {
  const specs = globSync('{test,src}/**/*.spec.ts', { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), 'utf8'))
  assert.deepEqual(
    Object.keys(PROBLEMS).filter((id) => !specs.some((text) => text.includes(id))),
    [],
  )
})

test('what is asserted to start nothing would see a server', async (t) => {
  const { env, started } = recordInterpreters(t)
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "django-command", "APP": "check"}}'
  const { code } = await prodserver(t, ['run', 'web'], { cwd: createProject(t, { settings }), env })
  assert.equal(code, 0)
  assert.deepEqual(
    started().map((line) => /'-m', 'django', 'check'/.test(line)),
    [false, true],
  )
})

test('the place of an exception in a package is the line of the project that led there', async (t) => {
  const cwd = createProject(t, { settings: 'import json\n\nKEYS = json.loads("{")' })
  const { stdout, code } = await prodserver(t, ['check', '--json'], { cwd })
  const { id, place, message, details = '' } = JSON.parse(stdout) as Problem
  assert.deepEqual({ id, place, code }, { id: 'E007', place: `${cwd}/mysite/settings.py:17`, code: 1 })
  assert.match(message, /^The settings raise JSONDecodeError: /)
  const files = [...details.matchAll(/^ {2}File "(.*)", line/gm)].map(([, file]) => file)
  assert.equal(files[0], `${cwd}/mysite/settings.py`)
  assert.deepEqual(
    files.filter((file) => file?.includes('django_probe')),
    [],
  )
})

test('an application that cannot set Django up is found before it is started', async (t) => {
  const cwd = createProject(t, { settings: `${GOOD}\nINSTALLED_APPS = ["mysite.shop"]` })
  const { stdout, code } = await prodserver(t, ['check', '--json'], { cwd })
  const { id, place, message, hint, details } = JSON.parse(stdout) as Problem
  assert.deepEqual(
    { id, place, message, hint, code },
    {
      id: 'E206',
      place: 'WSGI_APPLICATION',
      message: "The WSGI application cannot be imported: ModuleNotFoundError: No module named 'mysite.shop'",
      hint: `Create it, or look: ls ${cwd}/mysite`,
      code: 4,
    },
  )
  assert.match(details ?? '', /^ {2}File ".*\/mysite\/wsgi\.py", line 8, in <module>\n/)
  assert.doesNotMatch(details ?? '', /python_backend/)
})

test('a socket of systemd, which cannot be handed on, is refused', async (t) => {
  const options = { cwd: createProject(t, { settings: GOOD }), env: { PRODSERVER_PYTHON: PYTHON } }
  const systemd = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
  const refused = await run(t, 'sh', ['-c', systemd, process.execPath, BIN, 'run', 'web'], options)
  assert.deepEqual(refused, {
    code: 1,
    stdout: '',
    stderr: `E506  PRODUCTION_PROCESSES["web"]
      systemd passes a socket, and prodserver cannot hand it on.
      → Name the server in the unit's ExecStart; its command line: prodserver show web
`,
  })
})

test('a program that is no Python is said not to be one', async (t) => {
  const cwd = createProject(t, { settings: GOOD, files: { python: '#!/bin/sh\necho no >&2\nexit 3\n' } })
  chmodSync(join(cwd, 'python'), 0o755)
  const { code, stdout, stderr } = await prodserver(t, ['run', '--python', 'python'], { cwd })
  assert.equal(
    hideMachine(stderr, cwd),
    `E011  <project>/python
      This interpreter (chosen by --python) ended with exit code 3 before it could be asked: it must be Python 3.8 or newer.
      no
      → Try it: <project>/python --version
`,
  )
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
})

// --- What looks like a mistake and is none ----------------------------------------------------------------------------

const harmless: Readonly<Record<string, ProjectFiles>> = {
  'print to both streams': {
    settings: `import sys\n\nprint("{" * 100_000)\nprint("noise", file=sys.stderr)\n${GOOD}`,
  },
  'write to both streams behind the back of Python': {
    settings: `import os\n\nfor fd in (1, 2):\n    os.write(fd, b"noise\\n")\n${GOOD}`,
  },
  'start a thread that does not end': {
    settings: `import threading\n\nthreading.Thread(target=threading.Event().wait).start()\n${GOOD}`,
  },
  'start a process that keeps everything open': {
    settings: `import os, time\n\nif os.fork() == 0:\n    time.sleep(600)\n${GOOD}`,
  },
  'have an exit handler that hangs': {
    settings: `import atexit, time\n\natexit.register(time.sleep, 600)\n${GOOD}`,
  },
  'look at the command line': {
    settings: `import sys\n\nassert sys.argv[0].endswith("/manage.py") and sys.argv[1:] == ["prodserver"], sys.argv\n${GOOD}`,
  },
  'change the working directory': { settings: `import os\n\nos.chdir("/")\n${GOOD}` },
  'are configured by a dictionary of their own kind': {
    settings: `from collections import OrderedDict, UserDict\n\nPRODUCTION_PROCESSES = OrderedDict(web=UserDict(BACKEND="gunicorn"))`,
  },
}

for (const [what, files] of Object.entries(harmless)) {
  test(`settings that ${what} harm nothing`, async (t) => {
    const cwd = createProject(t, files)
    const running = startProdserver(t, ['check'], { cwd })
    assert.deepEqual(await running.ended(20_000), { code: 0, signal: null }, running.output())
    assert.equal(running.output(), 'No problems in 1 process: web.\n')
  })
}

test('values that only Python has become the options that they stand for', async (t) => {
  const cwd = createProject(t, {
    settings: `import datetime, decimal, enum, pathlib, uuid

from django.utils.functional import lazystr


class Level(enum.Enum):
    INFO = "info"


class Count(enum.IntEnum):
    TWO = 2


class Name(str):
    pass


${withArgs(`{
    "bind": ("127.0.0.1:8000", lazystr("127.0.0.1:8001")),
    "config": pathlib.Path("/etc") / "gunicorn.conf.py",
    "worker-tmp-dir": "/dev/shm",
    "log-level": Level.INFO,
    "workers": Count.TWO,
    "threads": decimal.Decimal("4"),
    "timeout": datetime.timedelta(minutes=1),
    "forwarded-allow-ips": {"10.0.0.2", "10.0.0.1"},
    "name": Name("web"),
    "statsd-prefix": uuid.UUID(int=1),
    "max-requests": 2**60,
}`)}`,
  })
  const { stdout } = await prodserver(t, ['show', 'web', '--json'], { cwd })
  const { processes } = JSON.parse(stdout) as { processes: { argv: string[] }[] }
  assert.deepEqual(processes[0]?.argv.slice(3), [
    '--bind=127.0.0.1:8000',
    '--bind=127.0.0.1:8001',
    '--config=/etc/gunicorn.conf.py',
    '--worker-tmp-dir=/dev/shm',
    '--log-level=info',
    '--workers=2',
    '--threads=4',
    '--timeout=60',
    '--forwarded-allow-ips=10.0.0.1,10.0.0.2',
    '--name=web',
    '--statsd-prefix=00000000-0000-0000-0000-000000000001',
    '--max-requests=1152921504606846976',
    'mysite.wsgi:application',
  ])
})

const unusualManage: Readonly<Record<string, { files: Record<string, string>; settings: string; names: string }>> = {
  'adds a folder to the import path': {
    files: { ...manage(''), 'mysite/apps/shop.py': 'NAME = "shop"\n' },
    settings:
      'import os, sys\n\nassert any(path.endswith("mysite/apps") for path in sys.path)\nimport shop\n\nPRODUCTION_PROCESSES = {shop.NAME: {"BACKEND": "gunicorn"}}',
    names: 'shop\n',
  },
  'reads an environment file': {
    files: {
      ...manage(
        'for line in open(Path(__file__).parent / ".env"):\n    os.environ.setdefault(*line.strip().split("="))',
      ),
      '.env': 'SHOP_NAME=from-the-file\n',
    },
    settings: 'import os\n\nPRODUCTION_PROCESSES = {os.environ["SHOP_NAME"]: {"BACKEND": "gunicorn"}}',
    names: 'from-the-file\n',
  },
  'computes the settings module': {
    files: {
      ...manage('os.environ["DJANGO_SETTINGS_MODULE"] = "mysite." + "_".join(["stage", "two"])'),
      'mysite/stage_two.py': 'PRODUCTION_PROCESSES = {"two": {"BACKEND": "gunicorn"}}\n',
    },
    settings: GOOD,
    names: 'two\n',
  },
  'never calls Django': { files: manage('', ''), settings: GOOD, names: 'web\n' },
}

for (const [what, { files, settings, names }] of Object.entries(unusualManage)) {
  test(`a manage.py that ${what} is understood`, async (t) => {
    const { stdout, stderr } = await prodserver(t, ['list', '--names'], { cwd: createProject(t, { settings, files }) })
    assert.deepEqual({ stdout, stderr }, { stdout: names, stderr: '' })
  })
}

test('the only project one folder down is used', async (t) => {
  const root = createProject(t, { settings: GOOD })
  const { stdout } = await prodserver(t, ['show', '--json'], { cwd: nested(root) })
  assert.equal((JSON.parse(stdout) as { project: { root: string } }).project.root, join(root, 'backend'))
})

/** Moves a project one folder down. */
function nested(root: string): string {
  mkdirSync(join(root, 'backend'))
  for (const name of ['manage.py', 'mysite']) renameSync(join(root, name), join(root, 'backend', name))
  return root
}

test('a process runs although another has its port, and others are wrong', async (t) => {
  const port = await freePort()
  const settings = two(bound(`127.0.0.1:${port}`), bound(`0.0.0.0:${port}`)).replace(
    /}$/,
    ', "wrong": {"BACKEND": "gunicron"}, "worse": 3}',
  )
  const server = startProdserver(t, ['run', 'web'], { cwd: createProject(t, { settings }) })
  const { status } = await waitForHttp(server, { port })
  assert.equal(status, 200)
})

test('a project may lie in a folder of any name', async (t) => {
  const root = createProject(t, {
    settings: 'PRODUCTION_PROCESSES = {"check": {"BACKEND": "django-command", "APP": "check", "ENV_FILE": ".env"}}',
  })
  const cwd = join(root, `it's a "söng" & $HOME`)
  mkdirSync(cwd)
  for (const name of ['manage.py', 'mysite']) renameSync(join(root, name), join(cwd, name))

  const refused = await prodserver(t, ['run'], { cwd })
  assert.equal(
    refused.stderr,
    `E111  PRODUCTION_PROCESSES["check"]["ENV_FILE"]
      The environment file ${cwd}/.env cannot be read: it does not exist.
      → Look: ls -l '${root}/it'\\''s a "söng" & $HOME/.env'
`,
  )
  writeFileSync(join(cwd, '.env'), 'A=b\n')
  // The next thing to type can be typed as it stands.
  const typed = /→ Look: (.*)/.exec(refused.stderr)?.[1] ?? ''
  assert.match((await run(t, 'sh', ['-c', typed])).stdout, /^-.*söng/)

  const { code, stdout } = await prodserver(t, ['run'], { cwd })
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'System check identified no issues (0 silenced).\n' })
})

// --- The command line -------------------------------------------------------------------------------------------------

const usageErrors: readonly (readonly [args: readonly string[], says: string, usage: string])[] = [
  [['list', '--setings', 'x'], 'Unknown option --setings. Did you mean --settings?', 'list [OPTIONS]'],
  [['list', '--bogus=1'], 'Unknown option --bogus.', 'list [OPTIONS]'],
  [['show', '-x', 'web'], 'Unknown option -x.', 'show [OPTIONS] [NAME...]'],
  [['--pyhton', 'x'], 'Unknown option --pyhton. Did you mean --python?', 'run [OPTIONS] [NAME] [ARGS...]'],
  [['list', '--settings'], 'Option --settings needs a value: --settings=MODULE', 'list [OPTIONS]'],
  [['list', '--settings', '--json'], 'Option --settings needs a value: --settings=MODULE', 'list [OPTIONS]'],
  [['run', '-v'], 'Option -v needs a value: --verbosity=LEVEL', 'run [OPTIONS] [NAME] [ARGS...]'],
  [['check', '--json=yes'], 'Option --json takes no value.', 'check [OPTIONS] [NAME...]'],
  [
    ['list', '--set', 'web.ARGS.preload'],
    '--set takes NAME.KEY=VALUE or NAME.KEY.INNER=VALUE, and web.ARGS.preload has no value. Such as --set web.ARGS.preload=true.',
    'list [OPTIONS]',
  ],
  [
    ['check', '--set=web=8'],
    '--set takes NAME.KEY=VALUE or NAME.KEY.INNER=VALUE, and web names no key. Such as --set web.ARGS.workers=8.',
    'check [OPTIONS] [NAME...]',
  ],
  [['ps', '--set', 'web.ARGS.workers=8'], 'Unknown option --set.', 'ps [OPTIONS] [NAME...]'],
  [['list', 'web'], 'Unexpected argument web.', 'list [OPTIONS]'],
  [['show', '--reveal'], '--reveal shows secrets on a terminal only.', 'show [OPTIONS] [NAME...]'],
  [['completion'], 'Name a shell. Shells: bash, zsh, fish', 'completion [OPTIONS] bash|zsh|fish'],
  [
    ['completion', 'tcsh'],
    'There is no completion for tcsh. Shells: bash, zsh, fish',
    'completion [OPTIONS] bash|zsh|fish',
  ],
]

for (const [args, says, usage] of usageErrors) {
  test(`prodserver ${args.join(' ')} is refused with its usage`, async (t) => {
    const { env, started } = recordInterpreters(t)
    const { code, stdout, stderr } = await prodserver(t, args, { cwd: createProject(t, { settings: GOOD }), env })
    assert.equal(
      stderr,
      `prodserver: ${says}\nUsage: prodserver ${usage}\nOptions and examples: prodserver ${usage.split(' ')[0]} --help\n`,
    )
    assert.deepEqual({ code, stdout, started: started() }, { code: 2, stdout: '', started: [] })
  })
}

test('help names every command, and that of a command every option and example, without a project', async (t) => {
  const cwd = join(createProject(t, { files: { 'manage.py': null } }), 'mysite')
  const { code, stdout, stderr } = await prodserver(t, ['--help'], { cwd })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  for (const { name, summary } of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${name} .*${escape(summary)}$`, 'm'))
  for (const command of COMMANDS) {
    for (const args of [
      [command.name, '--help'],
      ['help', command.name],
    ]) {
      const { code, stdout, stderr } = await prodserver(t, args, { cwd })
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      assert.ok(
        stdout.startsWith(`Usage: prodserver ${command.name} [OPTIONS]${command.usage && ` ${command.usage}`}\n`),
      )
      for (const [name, { hidden = false, summary }] of Object.entries(command.options))
        assert.equal(new RegExp(`--${name}\\b.* ${escape(summary)}$`, 'm').test(stdout), !hidden, name)
      for (const [example] of command.examples) assert.ok(stdout.includes(`\n  ${example} `), example)
    }
  }
})

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

for (const [args, expected] of [
  [['list'], 0],
  [['show', '--json'], 0],
  [['--help'], 0],
  [['check', 'wbe'], 2],
] as const) {
  test(`prodserver ${args.join(' ')} ends as ever when nobody reads what it prints`, async (t) => {
    const cwd = createProject(t, { settings: GOOD })
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd,
      env: cleanEnv({ PRODSERVER_PYTHON: PYTHON }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // Long before the program has begun.
    child.stdout.destroy()
    if (expected === 2) child.stderr.destroy()
    const noise: string[] = []
    child.stderr.setEncoding('utf8').on('data', (text: string) => noise.push(text))
    assert.deepEqual(await once(child, 'close'), [expected, null])
    assert.deepEqual(noise, [])
  })
}
