import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertExplained, type Mistake, recordInterpreters } from './support/mistakes.ts'
import { createProject, type ProjectFiles } from './support/project.ts'
import { prodserver } from './support/running.ts'

/** A folder with a config file and nothing of Django. */
const alone = (text: string, name = 'prodserver.config.ts', more: ProjectFiles['files'] = {}): ProjectFiles => ({
  files: { 'manage.py': null, 'mysite/settings.py': null, [name]: text, ...more },
})
/** A config file beside Django's settings. */
const beside = (settings: string, text: string): ProjectFiles => ({ settings, files: { 'prodserver.config.ts': text } })
const exporting = (text: string): string => `import { defineConfig } from 'prodserver'\n\nexport default ${text}\n`
const web = (keys: string): string =>
  exporting(`defineConfig({\n  processes: {\n    web: { backend: 'command', app: 'true', ${keys} },\n  },\n})`)

const mistakes: Readonly<Record<string, Mistake>> = {
  // --- The file
  'the file that is named is not there': {
    ...alone(web('')),
    options: ['--config=other.config.ts'],
    args: ['list'],
    code: 1,
    shows: `E013  --config
      There is no file <project>/other.config.ts.
      → Such as: --config prodserver.config.ts
`,
  },
  'the file that is named has another form': {
    ...alone(web(''), 'processes.yaml'),
    options: ['--config=processes.yaml'],
    args: ['list'],
    code: 1,
    shows: `E013  --config
      <project>/processes.yaml is no config file by its name: that ends in .ts, .js, .mjs or .json.
      → Such as: --config prodserver.config.ts
`,
  },
  'there are two files': {
    ...alone(web(''), 'prodserver.config.ts', { 'prodserver.config.json': '{}' }),
    code: 1,
    shows: `E013  <project>
      There are 2 config files, and only one is read: prodserver.config.ts, prodserver.config.json.
      → Keep one of them, or choose: --config prodserver.config.ts
`,
  },
  'it raises an exception': {
    ...alone(
      `import { port } from './port.ts'\n\nexport default { processes: { web: { backend: 'node', app: port() } } }\n`,
      'prodserver.config.ts',
      { 'port.ts': 'export const port = (): string => {\n  throw new TypeError("no port")\n}\n' },
    ),
    code: 1,
    shows: `E014  <project>/port.ts:2
      The config file raises TypeError: no port
        at port (<project>/port.ts:2:9)
        at <project>/prodserver.config.ts:3:60
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'it raises what is no error': {
    ...alone('throw 5\nexport default {}\n'),
    code: 1,
    shows: `E014  <project>/prodserver.config.ts
      The config file raises what is no error: 5
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'an error is raised that it does not wait for': {
    ...alone(
      'setTimeout(() => {\n  throw new Error("late")\n}, 1)\nawait new Promise((done) => setTimeout(done, 20_000))\nexport default {}\n',
    ),
    code: 1,
    shows: `E014  <project>/prodserver.config.ts:2
      The config file raises Error: late
        at Timeout._onTimeout (<project>/prodserver.config.ts:2:9)
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'it is not TypeScript': {
    ...alone('export default {\n  processes: { web: { backend: },\n}\n'),
    code: 1,
    shows: `E014  <project>/prodserver.config.ts:2
      The config file raises SyntaxError: Expression expected
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'it is TypeScript that must be compiled': {
    ...alone('enum Port {\n  web = 8000,\n}\nexport default { processes: { web: { backend: "node" } } }\n'),
    code: 1,
    shows: `E014  <project>/prodserver.config.ts:1
      The config file raises SyntaxError: TypeScript enum is not supported in strip-only mode
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'it is not JavaScript': {
    ...alone('export default {\n  processes: { web: { backend: },\n}\n', 'prodserver.config.mjs'),
    code: 1,
    shows: `E014  <project>/prodserver.config.mjs:2
      The config file raises SyntaxError: Unexpected token '}'
      → See it alone: node <project>/prodserver.config.mjs
`,
  },
  'it is not JSON': {
    ...alone(
      '{\n  "processes": {\n    "web": { "backend": "command", "app": "true" },\n  }\n}\n',
      'prodserver.config.json',
    ),
    code: 1,
    shows: `E014  <project>/prodserver.config.json:4
      This is not JSON: expected double-quoted property name.
`,
  },
  'it is a folder': {
    ...alone('', 'prodserver.config.json/empty'),
    code: 1,
    shows: `E014  <project>/prodserver.config.json
      The config file cannot be read: EISDIR: illegal operation on a directory, read.
      → Look: ls -ld <project>/prodserver.config.json
`,
  },
  'it is empty JSON': {
    ...alone('', 'prodserver.config.json'),
    code: 1,
    shows: `E014  <project>/prodserver.config.json:1
      This is not JSON: unexpected end.
`,
  },
  'it imports a package that is not installed': {
    ...alone(`import { config } from 'dotenv/nothing'\n\nexport default config\n`),
    code: 1,
    shows: `E015  <project>/prodserver.config.ts:1
      The package dotenv is not installed.
      → npm install dotenv
`,
  },
  'it imports a file that is not there': {
    ...alone(`import frontend from './frontend/processes.ts'\n\nexport default frontend\n`),
    code: 1,
    shows: `E015  <project>/prodserver.config.ts:1
      There is no file <project>/frontend/processes.ts.
      → Look: ls <project>/frontend
`,
  },
  'it ends the process': {
    ...alone('if (!process.env.PORT) {\n  process.exit(3)\n}\nexport default {}\n'),
    code: 1,
    shows: `E016  <project>/prodserver.config.ts:2
      The config file ends the process, with exit code 3.
      → Throw an error that says what is missing instead
`,
  },
  'it is ended in the middle': {
    ...alone('process.kill(process.pid, "SIGABRT")\nawait new Promise((done) => setTimeout(done, 20_000))\n'),
    code: 1,
    shows: `E016  <project>/prodserver.config.ts
      The process that read the config file ended without an answer: SIGABRT.
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'it waits for what never comes': {
    ...alone('await new Promise(() => {})\nexport default {}\n'),
    code: 1,
    shows: `E017  <project>/prodserver.config.ts
      The config file never finishes: it awaits what nothing will bring about.
      → See it alone: node <project>/prodserver.config.ts
`,
  },
  'it hangs': {
    ...alone('export default async () => {\n  for (;;);\n}\n'),
    env: { PRODSERVER_SETTINGS_TIMEOUT: '1' },
    code: 1,
    shows: `E017  <project>/prodserver.config.ts
      The config file did not finish loading in 1s.
      → It should not wait for the network. If it is only slow: PRODSERVER_SETTINGS_TIMEOUT=120
`,
  },

  // --- What it exports
  'nothing is exported by default': {
    ...alone('export const processes = {}\n'),
    code: 4,
    shows: `E113  <project>/prodserver.config.ts
      The config file exports nothing by default.
      → Write: export default defineConfig({ processes: { web: { backend: "gunicorn" } } })
`,
  },
  'a list is exported': {
    ...alone(exporting('[]')),
    code: 4,
    shows: `E113  <project>/prodserver.config.ts
      The config file must export an object with processes, not a list.
      → Write: export default defineConfig({ processes: { web: { backend: "gunicorn" } } })
`,
  },
  'a function is exported that returns another': {
    ...alone(exporting('() => () => 1')),
    code: 4,
    shows: `E113  <project>/prodserver.config.ts
      The config file must export an object with processes, not a function (() => 1).
      → Write: export default defineConfig({ processes: { web: { backend: "gunicorn" } } })
`,
  },
  'it has no processes': {
    ...alone(exporting('{ defaults: {} }')),
    code: 4,
    shows: `E113  <project>/prodserver.config.ts
      The config file has no processes.
      → Write: export default defineConfig({ processes: { web: { backend: "gunicorn" } } })
`,
  },
  'its key for processes is misspelt': {
    ...alone(exporting('{ proceses: { web: {} } }')),
    code: 4,
    shows: `E106  proceses
      A config file has no key "proceses".
      → Did you mean processes?
`,
  },
  'its processes are a list': {
    ...alone(exporting('{ processes: [] }')),
    code: 4,
    shows: `E102  processes
      processes must be an object of process names, not a list.
      → Write it as: processes: { web: { backend: "gunicorn" } }
`,
  },
  'its processes are none': {
    ...alone('{ "processes": {} }', 'prodserver.config.json'),
    code: 4,
    shows: `E103  processes
      processes is empty.
      → Declare a process: { web: { backend: "gunicorn" } }
`,
  },
  'its defaults are a list': {
    ...alone(exporting('{ processes: { web: { backend: "command", app: "true" } }, defaults: ["env"] }')),
    args: ['check'],
    code: 4,
    shows: `E107  defaults
      defaults must be an object, not a list.

1 error in <project>/prodserver.config.ts.
`,
  },

  // --- The keys, in the words of the file
  'keys are misspelt, each in another way': {
    ...alone(web('DEPENDS_ON: [], restart: { max_delay: 1 }, enabled: "yes"')),
    args: ['check'],
    code: 4,
    shows: `E106  processes.web.restart.max_delay
      restart has no key "max_delay".
      → Did you mean maxDelay?

E107  processes.web.enabled
      enabled must be true or false, not "yes".

E106  processes.web.DEPENDS_ON
      A process has no key "DEPENDS_ON".
      → Did you mean dependsOn?

3 errors in <project>/prodserver.config.ts.
`,
  },
  'values have another form': {
    ...alone(web('log: 5, ready: {}, args: ["a"], env: { "X-Y": {} }, dependsOn: "db"')),
    args: ['check'],
    code: 4,
    shows: `E107  processes.web.env["X-Y"]
      env["X-Y"] must be a string, a number or null, not an object.

E107  processes.web.ready
      ready must be an object with exactly one of http, tcp, exec, log, delay or notify.

E107  processes.web.log
      log must be an object with maxSize, keep and compress, not 5.

E301  processes.web.args
      Invalid args configuration: args must be an object, not a list.
      → Write: "args": {"workers": 4}

E109  processes.web.dependsOn
      It depends on "db", which is not declared.
      → Declared: web

5 errors in <project>/prodserver.config.ts.
`,
  },
  'the key of a process is one of a setting': {
    ...alone('{ "processes": { "web": { "BACKEND": "gunicorn" } } }', 'prodserver.config.json'),
    code: 4,
    shows: `E106  processes.web.BACKEND
      A process has no key "BACKEND".
      → Did you mean backend?
`,
  },
  'what runs is missing': {
    ...alone(exporting('{ processes: { web: { app: "server.js" } } }')),
    code: 4,
    shows: `E201  processes.web
      backend is missing.
      → Name what runs, for example "backend": "django_prodserver.backends.gunicorn.GunicornServer", or "gunicorn"
`,
  },
  'the script is missing': {
    ...alone(exporting('{ processes: { "my-web": { backend: "node" } } }')),
    args: ['check'],
    code: 4,
    shows: `E205  processes["my-web"]
      app is missing: node must be told what to run.
      → Add "app": "frontend/server.js"

1 error in <project>/prodserver.config.ts.
`,
  },
  'a server needs Django': {
    ...alone(exporting('{ processes: { web: { backend: "gunicorn" } } }')),
    code: 4,
    shows: `E001  processes.web.backend
      gunicorn needs a Django project, and there is no manage.py in <project>.
      → Put the config file beside manage.py, or name the settings: --settings mysite.settings
`,
  },
  'a program is not there': {
    ...alone(exporting('{ processes: { web: { backend: "command", app: "no-such-program" } } }')),
    args: ['check'],
    code: 4,
    shows: `E501  processes.web
      The program no-such-program was not found on PATH.
      → Install it, or name it by its full path

1 error in <project>/prodserver.config.ts.
`,
  },
  'nothing is called so': {
    ...alone(web('')),
    args: ['run', 'wbe'],
    names: ['wbe'],
    code: 2,
    shows: `E104  prodserver.config.ts
      Process 'wbe' not found in prodserver.config.ts.
      → Did you mean web?
`,
  },

  // --- Beside settings
  'a process is declared in both': {
    ...beside('PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}', web('')),
    args: ['check'],
    code: 4,
    shows: `E114  processes.web
      "web" is declared twice: here, and in PRODUCTION_PROCESSES["web"].
      → Rename one of them

1 error in <project>/mysite/settings.py and <project>/prodserver.config.ts.
`,
  },
  'each has a mistake': {
    ...beside(
      'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "INSTANCES": 0}}',
      exporting('{ processes: { frontend: { backend: "node", app: "server.js", instances: 0 } } }'),
    ),
    args: ['check'],
    code: 4,
    shows: `E107  PRODUCTION_PROCESSES["web"]["INSTANCES"]
      INSTANCES must be at least 1, not 0.

E107  processes.frontend.instances
      instances must be at least 1, not 0.

E206  processes.frontend.app
      app cannot be found: there is no file <project>/server.js.
      → Look: ls <project>

3 errors in <project>/mysite/settings.py and <project>/prodserver.config.ts.
`,
  },
  'nothing is called so in either': {
    ...beside(
      'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}',
      exporting('{ processes: { frontend: { backend: "command", app: "true" } } }'),
    ),
    args: ['run', 'x'],
    names: ['x'],
    code: 2,
    shows: `E104  PRODUCTION_PROCESSES
      Process 'x' not found in PRODUCTION_PROCESSES or prodserver.config.ts.
      → Declared: web, frontend
`,
  },
}

for (const [what, mistake] of Object.entries(mistakes)) {
  test(`a config file is wrong, and it is explained: ${what}`, (t) => assertExplained(t, mistake))
}

test('a config file that is wrong is told of at the line that is wrong', async (t) => {
  const cwd = createProject(t, alone(web('\n      instances: 0,\n      env: { "A=B": "1" }')))
  const { env, started } = recordInterpreters(t)
  const { stdout } = await prodserver(t, ['check'], { cwd, env })
  assert.match(stdout, /^E107 {2}processes\.web\.instances {2}prodserver\.config\.ts:6$/m)
  assert.match(stdout, /^E107 {2}processes\.web\.env\["A=B"\] {2}prodserver\.config\.ts:7$/m)
  assert.deepEqual(started(), [])
})
