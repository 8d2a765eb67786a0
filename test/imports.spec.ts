import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'
import { ROOT } from './support/environment.ts'

/** Files by what they are, from the left, where nothing of ours is known, to the right. */
const LAYERS: Readonly<Record<string, { files: RegExp; imports: readonly string[] }>> = {
  core: { files: /^core\//, imports: ['core'] },
  /** The keys of a declaration, with what all of them need. */
  keys: { files: /^config\/(keys\/|(key|probe|schemas)\.ts$)/, imports: ['core', 'keys'] },
  generated: { files: /^generated\//, imports: ['core', 'keys', 'generated'] },
  servers: { files: /^servers\//, imports: ['core', 'servers'] },
  project: { files: /^project\//, imports: ['core', 'project'] },
  inspect: { files: /^inspect\//, imports: ['core', 'project', 'inspect'] },
  args: { files: /^args\//, imports: ['core', 'args'] },
  config: { files: /^config\//, imports: ['core', 'keys', 'generated', 'args', 'config'] },
  backends: { files: /^backends\//, imports: ['core', 'args', 'backends'] },
  plan: {
    files: /^plan\//,
    imports: ['core', 'keys', 'generated', 'servers', 'project', 'inspect', 'args', 'config', 'backends', 'plan'],
  },
  init: { files: /^init\//, imports: ['core', 'args', 'backends', 'init'] },
  run: { files: /^run\//, imports: ['core', 'plan', 'run'] },
  export: { files: /^export\//, imports: ['core', 'generated', 'plan', 'export'] },
  deploy: { files: /^deploy\//, imports: ['core', 'control', 'export', 'deploy'] },
  control: { files: /^control\//, imports: ['core', 'control'] },
  logs: { files: /^logs\//, imports: ['core', 'control', 'logs'] },
  supervisor: {
    files: /^supervisor\//,
    imports: ['core', 'servers', 'plan', 'run', 'control', 'logs', 'supervisor'],
  },
  explain: { files: /^explain\//, imports: ['core', 'explain'] },
  cli: {
    files: /^cli\//,
    imports: [
      'core',
      'project',
      'inspect',
      'args',
      'config',
      'backends',
      'plan',
      'run',
      'control',
      'logs',
      'supervisor',
      'export',
      'deploy',
      'init',
      'explain',
      'cli',
    ],
  },
  /** What other packages may import. */
  index: { files: /^index\.ts$/, imports: ['core', 'generated', 'args', 'config', 'backends', 'plan'] },
  bin: { files: /^(bin|program)\.ts$/, imports: ['cli', 'bin'] },
}

/** Packages, and the one place that knows each. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  valibot: /^config\//,
  leven: /^core\/values\.ts$/,
  diff: /^cli\/commands\/export\/render\.ts$/,
  yaml: /^(init\/files\/compose|export\/(yaml|index))\.ts$/,
  croner: /^plan\/schedule\.ts$/,
}

/** Data and pure functions: nothing of the system is known there. */
const PURE = /^(args|backends|config|explain|export)\/|^core\/(?!files\.ts$)/

const files = globSync('**/*.ts', { cwd: join(ROOT, 'src') }).filter((file) => !file.endsWith('.spec.ts'))
const code = new Map(files.map((file) => [file, withoutComments(readFileSync(join(ROOT, 'src', file), 'utf8'))]))

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

const layerOf = (file: string): string | undefined =>
  Object.entries(LAYERS).find(([, layer]) => layer.files.test(file))?.[0]

/** What a file imports, statically or not, types included: packages by name, our own files from src. */
function importsOf(file: string): string[] {
  const text = code.get(file) ?? ''
  return [...text.matchAll(/\b(?:from|import)\s+'([^']+)'|\bimport\('([^']+)'\)/g)].map(([, from, dynamic]) => {
    const target = from ?? dynamic ?? ''
    return target.startsWith('.') ? normalize(join(dirname(file), target)) : target
  })
}

const isOurs = (target: string): boolean => target.endsWith('.ts')

test('every file belongs to a layer, and what is read here are its imports', () => {
  assert.deepEqual(
    files.filter((file) => layerOf(file) === undefined),
    [],
  )
  assert.deepEqual(
    files.flatMap(importsOf).filter((target) => isOurs(target) && !code.has(target)),
    [],
  )
  assert.ok(files.flatMap(importsOf).length > files.length)
})

test('imports go in one direction', () => {
  const wrong = files.flatMap((file) => {
    const allowed = LAYERS[layerOf(file) ?? '']?.imports ?? []
    return importsOf(file)
      .filter((target) => isOurs(target) && !allowed.includes(layerOf(target) ?? ''))
      .map((target) => `${file} imports ${relative('.', target)}`)
  })
  assert.deepEqual(wrong, [])
})

test('no command imports another command', () => {
  const commandOf = (file: string): string | undefined => /^cli\/commands\/(\w+)\//.exec(file)?.[1]
  const wrong = files.flatMap((file) => {
    const command = commandOf(file)
    if (command === undefined) return []
    return importsOf(file)
      .filter((target) => target.startsWith('cli/commands/') && commandOf(target) !== command)
      .map((target) => `${file} imports ${target}`)
  })
  assert.deepEqual(wrong, [])
})

const architecture = readFileSync(join(ROOT, 'docs', 'explanation', 'architecture.md'), 'utf8')

test('the architecture page lists the imports of each folder', () => {
  const rows = [...architecture.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, folder = '', imports = '']) => [
    folder,
    imports === 'none' ? [] : imports.split(', ').map((name) => name.replaceAll('`', '')),
  ])
  const expected = Object.entries(LAYERS).map(([folder, { imports }]) => [
    folder,
    imports.filter((name) => name !== folder),
  ])
  assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(expected))
})

test('the architecture page describes each folder', () => {
  const [, tree = ''] = /^```\nsrc\/\n([\s\S]*?)^```$/m.exec(architecture) ?? []
  const described: string[] = []
  for (const [, indent = '', name = ''] of tree.matchAll(/^( +)(\w+)\/ +\S/gm)) {
    const parent = described.findLast((path) => path.split('/').length === indent.length / 2 - 1)
    described.push(parent === undefined ? name : `${parent}/${name}`)
  }
  const sources = globSync('**/*.{ts,py}', { cwd: join(ROOT, 'src') }).map(dirname)
  const folders = new Set(sources.filter((folder) => folder !== '.' && !folder.startsWith('cli/commands/')))
  assert.deepEqual(described.toSorted(), [...folders].toSorted())
})

test('a package is known in one place', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !isOurs(target) && !target.startsWith('node:') && !PACKAGES[target]?.test(file))
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('what is data and pure functions imports nothing of the system', () => {
  const wrong = files
    .filter((file) => PURE.test(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('node:'))
        .map((target) => `${file} imports ${target}`),
    )
  assert.deepEqual(wrong, [])
})

/** What reads Node's `process` beside the two files that hand it to all others. */
const PROCESS: Readonly<Record<string, { members: readonly string[]; because: string }>> = {
  'export/kubernetes/pod.ts': { members: ['kill'], because: 'what it writes is a program of its own' },
  'export/probe-program.ts': { members: ['exit'], because: 'what it writes is a program of its own' },
  'project/interpreter.ts': { members: ['platform'], because: 'programs have other names on Windows' },
  'project/config-file.ts': { members: ['execPath'], because: 'config files are run by the Node that runs us' },
  'project/evaluator.ts': {
    members: ['argv', 'exit', 'exitCode', 'kill', 'on', 'pid'],
    because: 'it is a program of its own, which a config file must not end or keep open',
  },
  'project/run-python.ts': { members: ['pid', 'platform'], because: 'scratch files differ by system and process' },
  'plan/command.ts': { members: ['execPath'], because: 'Node scripts run on the Node that runs prodserver' },
  'plan/environment.ts': {
    members: ['execPath'],
    because: 'PATH of a script begins with the Node that runs prodserver',
  },
  'plan/env-files.ts': { members: ['getBuiltinModule'], because: 'a module that is loaded only where it is needed' },
  'control/client.ts': {
    members: ['getBuiltinModule', 'getuid'],
    because: 'a declaration, with its secrets, is told to a supervisor of the same user only',
  },
  'control/state-dir.ts': {
    members: ['getuid', 'platform'],
    because: 'the default folder is of this user, and only one system reaches a folder through a descriptor',
  },
  'logs/log-files.ts': { members: ['getBuiltinModule'], because: 'a module that is loaded only where it is needed' },
  'supervisor/probes/endpoint.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'supervisor/probes/command.ts': {
    members: ['getBuiltinModule', 'kill'],
    because: 'it runs a program, which is ended with its group',
  },
  'supervisor/shim/open-shim.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'supervisor/shim/end-process.ts': { members: ['kill'], because: 'it kills a shim of another version' },
  'supervisor/state/compat.ts': {
    members: ['getBuiltinModule'],
    because: 'it loads sockets only if a shim of version 0.1.0 runs',
  },
  'logs/non-blocking-writer.ts': {
    members: ['getBuiltinModule'],
    because: 'it loads sockets only if the output is one',
  },
  'logs/compress.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'servers/serve-node.ts': {
    members: ['env', 'kill', 'listenerCount', 'off', 'on', 'pid', 'stderr'],
    because: 'it is loaded into a server that somebody else has written, and runs there',
  },
  'supervisor/launcher.ts': { members: ['kill'], because: 'it signals programs itself while there is no shim' },
  'supervisor/procfs/descendant-cleanup.ts': { members: ['kill'], because: 'it ends what programs leave behind' },
  'supervisor/process/launch.ts': { members: ['getuid'], because: 'locks are in a folder of this user' },
  'supervisor/state/state-folder.ts': { members: ['getuid'], because: 'the folder must belong to this user' },
  'supervisor/detached.ts': {
    members: ['argv', 'env', 'exitCode', 'on', 'pid', 'stdin'],
    because: 'it is a program of its own, the supervisor in the background',
  },
  'control/server.ts': {
    members: ['getBuiltinModule'],
    because: 'a server that nobody asks is never loaded',
  },
  'cli/commands/up/execute.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'cli/follow-action.ts': { members: ['off', 'once'], because: 'an interrupt leaves the action running' },
  'cli/commands/diff/execute.ts': {
    members: ['kill', 'off', 'on', 'pid'],
    because: 'what it has checked out is removed before a signal ends it',
  },
  'cli/commands/down/without-supervisor.ts': {
    members: ['pid'],
    because: 'it is the supervisor itself, for as long as stopping takes',
  },
  'cli/commands/up/detached.ts': { members: ['execPath'], because: 'the supervisor is run by the same Node' },
  'cli/commands/up/foreground.ts': {
    members: ['cwd', 'execPath', 'on', 'pid'],
    because: 'it is the supervisor itself, which signals stop; as process 1 it becomes the shim that starts it again',
  },
  'cli/list-backends.ts': {
    members: ['version'],
    because: 'Node scripts are run by the Node that runs us',
  },
  'cli/commands/top/execute.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'cli/commands/top/terminal.ts': {
    members: ['kill', 'off', 'on', 'pid', 'stdin', 'stdout'],
    because: 'it takes over a terminal, and gives it back however this process ends',
  },
  'plan/checks/deployment/written-secrets.ts': {
    members: ['env'],
    because: 'its hint is for a config file, which reads it',
  },
  'init/render-config.ts': { members: ['env'], because: 'it writes a config file, which reads it' },
  'deploy/nomad/client.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'deploy/kubernetes/request.ts': {
    members: ['getBuiltinModule'],
    because: 'a module that is loaded only where it is needed',
  },
  'run/resolve-program.ts': { members: ['platform'], because: 'programs have another form on each system' },
  'run/identity.ts': {
    members: ['getgid', 'getuid', 'pid', 'setgid', 'setuid', 'umask'],
    because: 'it changes who this process is',
  },
  'servers/bullmq-worker.ts': {
    members: ['argv', 'exit', 'on', 'stderr', 'stdout'],
    because: 'it is a program of its own, which runs a module of somebody else',
  },
  'run/become.ts': {
    members: ['chdir', 'execve', 'off', 'on', 'pid', 'platform', 'stderr', 'stdout'],
    because: 'it replaces this process',
  },
}

test('the process is read in two files, and in others only for a reason', () => {
  const read = files
    .filter((file) => !['bin.ts', 'cli/io.ts'].includes(file))
    .map((file) => [
      file,
      [
        ...new Set(
          [...(code.get(file) ?? '').matchAll(/(?<![.\w])process\.(?!ts')(\w+)/g)].map(([, name = '']) => name),
        ),
      ].toSorted(),
    ])
    .filter(([, members]) => members?.length)
  assert.deepEqual(
    Object.fromEntries(read),
    Object.fromEntries(Object.entries(PROCESS).map(([file, { members }]) => [file, members])),
  )
})

/** Files beside the checks that are not checks themselves. */
const BESIDE_CHECKS = [
  'check.ts',
  'index.ts',
  'silence.ts',
  'deployment/celery.ts',
  'deployment/libraries.ts',
  'machine/demand.ts',
]

test('each check is a file, is in the list, and reads nothing of the system', () => {
  const all = files.filter((file) => file.startsWith('plan/checks/'))
  const checks = all.filter((file) => !BESIDE_CHECKS.includes(relative('plan/checks', file)))
  const listed = importsOf('plan/checks/index.ts').filter((target) => target !== 'plan/checks/check.ts')
  assert.deepEqual(listed.filter((target) => target.startsWith('plan/checks/')).toSorted(), checks.toSorted())
  const reading = all.flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith('node:') && target !== 'node:path')
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(reading, [])
})

test('what reads schedules is loaded by nobody who plans a process without one', () => {
  const all = files.filter(
    (file) => file.startsWith('plan/') && /from '\.\.?\/schedule\.ts'/.test(code.get(file) ?? ''),
  )
  assert.deepEqual(all, [])
})

/** The reducer of process state: pure functions that return a new state. */
const REDUCER = /^supervisor\/process\/(process|commands|facts|instance|release|reload|schedule)-step\.ts$/
const HOLDER = 'supervisor/process/managed.ts'

test('process state has one writer', () => {
  const importers = files.filter(
    (file) => !REDUCER.test(file) && importsOf(file).some((target) => REDUCER.test(target)),
  )
  assert.deepEqual(importers, [HOLDER])
  assert.deepEqual(
    [...(code.get(HOLDER) ?? '').matchAll(/#state = (\w+)/g)].map(([, value]) => value),
    ['state', 'state'],
  )
  for (const name of ['state', 'machine-state', 'events']) {
    const text = code.get(`supervisor/process/${name}.ts`) ?? ''
    const writable = text.match(/^ {2,}(?!readonly)\w+\??: (?!.*[,;{(]$).*$/gm) ?? []
    assert.deepEqual(
      writable.filter((line) => !line.endsWith(',')),
      [],
      `${name}.ts has only read-only fields`,
    )
  }
})

test('the reducer of process state does nothing but decide', () => {
  const decided = files.filter((file) => REDUCER.test(file) || /^supervisor\/process\/(machine|views|state)/.test(file))
  const wrong = decided.flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith('node:') && target !== 'node:os')
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(wrong, [])
  const calls = decided.filter((file) =>
    /\b(Date\.now|Math\.random|setTimeout|await\b|process\.)/.test(code.get(file) ?? ''),
  )
  assert.deepEqual(calls, [])
})
