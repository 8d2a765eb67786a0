import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PYTHON } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

interface Mistake {
  readonly target: string
  /** What `PRODUCTION_PROCESSES` is. */
  readonly processes: string
  readonly options?: readonly string[]
  /** Null where none is named. */
  readonly image?: null
  /** All that is shown. */
  readonly shows: string
}

/** What no engine of containers could run as it is declared: refused, and no file is written. */
const MISTAKES: Readonly<Record<string, Mistake>> = {
  'a web server listens where nobody outside of its container reaches it': {
    target: 'compose',
    processes: '{"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8000"}}}',
    shows: `E802  PRODUCTION_PROCESSES["web"]["ARGS"]
      The server listens on 127.0.0.1:8000, which other containers cannot reach.
      → Listen on 0.0.0.0 in the container; the engine decides who can reach it
`,
  },
  'two names are one for Compose': {
    target: 'compose',
    processes: '{"a b": {"BACKEND": "command", "APP": "true"}, "a-b": {"BACKEND": "command", "APP": "true"}}',
    shows: `E802  PRODUCTION_PROCESSES["a-b"]
      In Compose this name becomes a-b, and so does "a b".
      → Rename the process
`,
  },
  'nothing of a name is left': {
    target: 'compose',
    processes: '{"世界": {"BACKEND": "command", "APP": "true"}}',
    shows: `E802  PRODUCTION_PROCESSES["世界"]
      Compose allows no character of this name.
      → Rename the process
`,
  },
  'two names are one for Kubernetes': {
    target: 'kubernetes',
    processes: '{"clean_up": {"BACKEND": "command", "APP": "true"}, "Clean-Up": {"BACKEND": "command", "APP": "true"}}',
    shows: `E802  PRODUCTION_PROCESSES["Clean-Up"]
      In Kubernetes this name becomes clean-up, and so does "clean_up".
      → Rename the process
`,
  },
  'a name is too long for Kubernetes': {
    target: 'kubernetes',
    processes: `{"${'a'.repeat(50)}": {"BACKEND": "command", "APP": "true"}}`,
    options: ['--name=shop'],
    shows: `E802  PRODUCTION_PROCESSES["${'a'.repeat(50)}"]
      The objects would be named shop-${'a'.repeat(50)}, but a name begins with a letter and has at most 52 characters.
      → Choose another name for the application: --name shop
`,
  },
  'a user is named for Kubernetes': {
    target: 'kubernetes',
    processes: '{"worker": {"BACKEND": "command", "APP": "true"}}',
    options: ['--name=shop', '--user=shop'],
    shows: `E802  --user
      Kubernetes takes the number of a user, not "shop".
      → For example: --user 1000
`,
  },
  'a schedule for Kubernetes has seconds': {
    target: 'kubernetes',
    processes: '{"nightly": {"BACKEND": "command", "APP": "true", "SCHEDULE": "0 0 3 * * *"}}',
    options: ['--name=shop'],
    shows: `E802  PRODUCTION_PROCESSES["nightly"]["SCHEDULE"]
      A schedule of Kubernetes has five fields and no seconds.
      → Use five fields: "30 3 * * *" is every day at 3:30
`,
  },
  'a scheduler is to be scaled': {
    target: 'kubernetes',
    processes: '{"nightly": {"BACKEND": "command", "APP": "true", "SCHEDULE": "0 3 * * *"}}',
    options: ['--name=shop', '--autoscale=nightly=1-3'],
    shows: `E802  --autoscale
      The process runs to completion, so it cannot be scaled.
      → Remove the option
`,
  },
  'a process has the name of the file that Kustomize reads': {
    target: 'kubernetes',
    processes: '{"kustomization": {"BACKEND": "command", "APP": "true"}}',
    options: ['--name=shop'],
    shows: `E802  PRODUCTION_PROCESSES["kustomization"]
      The file of this process would be the kustomization.yaml of Kustomize.
      → Rename the process
`,
  },
  'no image is named': {
    target: 'kubernetes',
    processes: '{"worker": {"BACKEND": "command", "APP": "true"}}',
    options: ['--name=shop', '--env-from=shop-secrets'],
    image: null,
    shows: `E802  --image
      No image given for the containers.
      → Pass --image registry.example.com/shop:1.4
`,
  },
  'Nomad would replace a value': {
    target: 'nomad',
    processes: '{"worker": {"BACKEND": "command", "APP": "echo ${HOME}"}}',
    shows: `E802  PRODUCTION_PROCESSES["worker"]["ARGS"]
      Nomad replaces \${HOME} in "\${HOME}", and knows no escape for it.
      → Let the program read the value from a file
`,
  },
  'Nomad would compose characters': {
    target: 'nomad',
    processes: '{"worker": {"BACKEND": "command", "APP": "true", "ENV": {"TOWN": "Zu\\u0308rich"}}}',
    shows: `E802  PRODUCTION_PROCESSES["worker"]["ENV"]
      Nomad composes characters of "Zu\u0308rich", and knows no escape for it.
      → Let the program read the value from a file
`,
  },
}

for (const [name, { target, processes, options = [], image, shows }] of Object.entries(MISTAKES)) {
  test(name, async (t) => {
    const cwd = createProject(t, {
      settings: `PRODUCTION_PROCESSES = ${processes}`,
      files: { Dockerfile: 'FROM scratch\n' },
    })
    const named = image === null ? [] : ['--image=shop:1']
    const { code, stdout, stderr } = await prodserver(t, ['export', target, '--python', PYTHON, ...named, ...options], {
      cwd,
    })
    assert.equal(stderr, shows)
    assert.deepEqual([code, stdout], [4, ''])
  })
}
