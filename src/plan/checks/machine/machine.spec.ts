import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeclaration, createFacts, problemsOf } from '../../../../test/support/facts.ts'
import type { Option } from '../../../args/translate.ts'
import type { Workers } from '../../../backends/backend.ts'
import type { MemoryAnswer } from '../../../inspect/answers.ts'
import type { FactsHere, ProcessFacts } from '../../facts.ts'
import type { FileSystem, MachineFacts } from '../../machine.ts'
import type { PlannedProcess } from '../../plan.ts'
import { MACHINE_CHECKS } from '../index.ts'

const M = 1024 ** 2
const G = 1024 ** 3

const system = (more: Partial<FileSystem> = {}): FileSystem => ({
  id: 1,
  folder: '/var',
  freeBytes: 20 * G,
  sizeBytes: 100 * G,
  isOutOfFiles: false,
  ...more,
})

const MACHINE: MachineFacts = {
  processors: { usable: 4, all: 4 },
  memory: { bytes: 8 * G, limitedBy: null },
  openFiles: { soft: 1024, hard: 4096 },
  ports: { lowest: 1024, holderOf: () => null },
  stateDir: '/var/state',
  logBytes: 0,
  fileSystemOf: () => system(),
}

interface Demand {
  readonly process: ProcessFacts
  readonly memory: MemoryAnswer | null
}

interface Given {
  readonly name?: string
  readonly workers?: Partial<Workers>
  readonly planned?: Partial<PlannedProcess>
  /** Whether the number of workers is declared. Default true. */
  readonly isCounted?: boolean
  readonly memory?: MemoryAnswer | null
  /** Files that options write, by option. */
  readonly files?: Readonly<Record<string, string>>
}

/** A process that is planned, with what it needs of the machine. */
function demand(given: Given = {}): Demand {
  const { name = 'web', isCounted = true, files = {}, memory = { alone: 50 * M, forked: 20 * M } } = given
  const workers: Workers = { processes: 1, option: 'workers', ...given.workers }
  const place = `PRODUCTION_PROCESSES[${JSON.stringify(name)}]`
  const placeOf = (_key: string, option = ''): string => `ARGS[${JSON.stringify(option)}]`
  const declaration = createDeclaration({ name, place, placeOf })
  const names = [isCounted ? workers.option : undefined, workers.connections?.option].filter(
    (each) => each !== undefined,
  )
  const options = [
    ...names.map((key): Option => ({ key, name: key, values: ['1'], tokens: [] })),
    ...Object.entries(files).map(([key, file]): Option => ({ key, name: key, values: [file], tokens: [] })),
  ]
  const planned = {
    name,
    place,
    kind: 'web',
    title: 'gunicorn',
    instances: 1,
    listen: [],
    log: { maxSizeBytes: 10 * M, keep: 5, compress: true },
    limits: {},
    memoryLimitBytes: null,
    from: {},
    enabled: true,
    ...given.planned,
  }
  const resolved = { backend: { files: { writes: Object.keys(files) } }, translation: { options }, cwd: '/' }
  const command = { options, workers, listen: [] }
  // The checks look at nothing else.
  return { process: { declaration, resolved, command, planned, problems: [] } as unknown as ProcessFacts, memory }
}

function factsOf(demands: readonly Demand[], machine: Partial<MachineFacts>): FactsHere {
  const memory = Object.fromEntries(demands.map((each) => [each.process.declaration.name, each.memory]))
  const python = { classes: {}, apps: {}, options: {}, memory }
  const processes = demands.map(({ process }) => process)
  return { ...createFacts(processes, { python }), machine: { ...MACHINE, ...machine } }
}

const find = (demands: readonly Demand[], machine: Partial<MachineFacts>) =>
  MACHINE_CHECKS.flatMap((check) => problemsOf(check, factsOf(demands, machine)))

const celery = (more: Given = {}): Demand =>
  demand({
    name: 'worker',
    ...more,
    planned: { title: 'celery worker', kind: 'worker', ...more.planned },
    workers: { option: 'concurrency', forked: true, ...more.workers },
  })

const said = (demands: readonly Demand[], machine: Partial<MachineFacts> = {}): readonly string[] =>
  find(demands, machine).map(({ id, place, message, hint }) => `${id} ${place}: ${message} ${hint}`)

const cases: readonly (readonly [
  what: string,
  demands: readonly Demand[],
  machine: Partial<MachineFacts>,
  says: string[],
])[] = [
  ['twice the processors and one more', [demand({ workers: { processes: 9 } })], {}, []],
  [
    'one more than that',
    [demand({ workers: { processes: 10 } })],
    {},
    [
      'W501 ARGS["workers"]: gunicorn starts 10 processes, and this machine has 4 processors: more than 9 wait for each other more than they work. Begin with "workers": 9, and watch: prodserver top',
    ],
  ],
  [
    'more than a container may use',
    [demand({ workers: { processes: 4 } })],
    { processors: { usable: 1, all: 64 } },
    [
      'W501 ARGS["workers"]: gunicorn starts 4 processes, and only 1 processor may be used here: more than 3 wait for each other more than they work. Begin with "workers": 3, and watch: prodserver top',
    ],
  ],
  [
    'instances with workers of their own',
    [demand({ isCounted: false, workers: { processes: 2 }, planned: { instances: 5, from: { instances: 'I' } } })],
    {},
    [
      'W501 I: gunicorn starts 5 × 2 processes, and this machine has 4 processors: more than 9 wait for each other more than they work. Begin with "workers": 1, and watch: prodserver top',
    ],
  ],
  [
    'web servers that are too many together',
    [demand({ workers: { processes: 6 } }), demand({ name: 'api', workers: { processes: 5 } })],
    {},
    [
      'W501 PRODUCTION_PROCESSES: The web servers start 11 processes (web 6, api 5), and this machine has 4 processors: more than 9 wait for each other more than they work. Begin with 9 in all, and watch: prodserver top',
    ],
  ],
  ['a worker whose processes somebody has counted', [celery({ workers: { processes: 40 } })], {}, []],
  [
    'a worker that counts the processors of the machine, and not those of the container',
    [celery({ isCounted: false, workers: { processes: 64 } })],
    { processors: { usable: 2, all: 64 } },
    [
      'W501 PRODUCTION_PROCESSES["worker"]: celery worker starts 64 processes, as many as the machine has processors, and only 2 processors may be used here: more than 5 wait for each other more than they work. Begin with "concurrency": 5, and watch: prodserver top',
    ],
  ],
  [
    'more memory than is left: each process of a server, and what copies do not share',
    [demand({ workers: { processes: 4 } }), celery({ workers: { processes: 8 }, planned: { instances: 2 } })],
    { memory: { bytes: 600 * M, limitedBy: null } },
    [
      'W502 PRODUCTION_PROCESSES: The processes need 620M as soon as they have loaded the application, and this machine has 600M: web 4 × 50M, worker 16 × 20M. Lower the number of their processes, or INSTANCES; or give them more memory',
    ],
  ],
  [
    'as much memory as is left',
    [demand({ workers: { processes: 4 } }), celery({ workers: { processes: 8 }, planned: { instances: 2 } })],
    { memory: { bytes: 620 * M, limitedBy: null } },
    [],
  ],
  [
    'more memory than a container has',
    [demand({ workers: { processes: 3 } })],
    { memory: { bytes: 128 * M, limitedBy: '/sys/fs/cgroup/memory.max' } },
    [
      'W502 PRODUCTION_PROCESSES: The processes need 150M as soon as they have loaded the application, and /sys/fs/cgroup/memory.max leaves 128M: web 3 × 50M. Lower the number of their processes, or INSTANCES; or give them more memory',
    ],
  ],
  [
    'what is over soon, and what could not be measured',
    [demand({ planned: { kind: 'task' } }), demand({ name: 'node', memory: null })],
    { memory: { bytes: 1, limitedBy: null } },
    [],
  ],
  [
    'a limit that is reached at once',
    [demand({ workers: { processes: 3 }, planned: { memoryLimitBytes: 100 * M, from: { memoryLimit: 'L' } } })],
    {},
    [
      'W505 L: It is restarted at 100M, and needs 150M as soon as its 3 processes have loaded the application. Set MEMORY_LIMIT well above that, such as "300M"',
    ],
  ],
  [
    'more connections than open files',
    [demand({ workers: { connections: { most: 2000, option: 'worker-connections' } } })],
    {},
    [
      'W503 ARGS["worker-connections"]: gunicorn keeps up to 2000 connections open in each process, and a process may have 1024 open files. Set "LIMITS": {"nofile": 2016}, or lower "worker-connections"',
    ],
  ],
  [
    'more connections than anybody but root may have open files',
    [demand({ workers: { connections: { most: 9000, option: 'worker-connections' } } })],
    {},
    [
      'W503 ARGS["worker-connections"]: gunicorn keeps up to 9000 connections open in each process, and a process may have 1024 open files. Set "LIMITS": {"nofile": 9016}, or lower "worker-connections"; above 4096 only root, or LimitNOFILE of systemd, may set it',
    ],
  ],
  [
    'fewer open files by declaration',
    [
      demand({
        workers: { connections: { most: 1000, option: 'worker-connections' } },
        planned: { limits: { nofile: '512:1024' } },
      }),
    ],
    {},
    [
      'W503 ARGS["worker-connections"]: gunicorn keeps up to 1000 connections open in each process, and a process may have 512 open files. Set "LIMITS": {"nofile": 1016}, or lower "worker-connections"',
    ],
  ],
  [
    'as many open files as are declared',
    [
      demand({
        workers: { connections: { most: 9000, option: 'worker-connections' } },
        planned: { limits: { nofile: 'unlimited' } },
      }),
    ],
    {},
    [],
  ],
]

for (const [what, demands, machine, says] of cases) {
  test(`${what}: ${says.length === 0 ? 'nothing is said' : says.map((line) => line.slice(0, 4)).join(', ')}`, () => {
    assert.deepEqual(said(demands, machine), says)
  })
}

const spaceSaid = (
  demands: readonly Demand[],
  fileSystemOf: (path: string) => FileSystem,
  logBytes = 0,
): readonly string[] =>
  find(demands, { logBytes, fileSystemOf }).map(
    ({ id, place, process, message }) => `${id} ${place} ${process ?? '-'}: ${message}`,
  )

test('logs that may outgrow their file system are told of, less what they take already', () => {
  const log = { maxSizeBytes: G, keep: 9, compress: true }
  const demands = [demand({ planned: { instances: 3, log, from: { log: 'LOG' } } }), demand({ name: 'api' })]
  assert.deepEqual(
    spaceSaid(demands, () => system()),
    [
      'W504 LOG -: The logs may grow to 30G, most of web with 3 × 10 files of 1G, and the file system of /var/state has 20G left.',
    ],
  )
  assert.deepEqual(
    spaceSaid(demands, () => system(), 11 * G),
    [],
  )
})

test('a file system that is nearly full is told of once, at what writes there first', () => {
  const files = { 'access-logfile': '/logs/access.log', 'error-logfile': '/logs/error.log' }
  const little = system({ id: 2, folder: '/logs', freeBytes: 5 * M })
  assert.deepEqual(
    spaceSaid([demand({ files })], (path) => (path.startsWith('/logs') ? little : system())),
    ['W506 ARGS["access-logfile"] web: The file system of /logs has 5M left.'],
  )
})

test('a file system without room for another file, and a small one with room', () => {
  assert.deepEqual(
    spaceSaid([demand()], () => system({ isOutOfFiles: true })),
    ['W506 /var/state -: The file system of /var takes no more files.'],
  )
  assert.deepEqual(
    spaceSaid([demand()], () => system({ freeBytes: 90 * M, sizeBytes: 200 * M })),
    [],
  )
})
