import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInstance, createProcess, createSnapshot } from '../../../test/support/fake-supervisor.ts'
import type { InstanceStatus, ProcessStatus } from '../../control/protocol.ts'
import type { Paint } from './print.ts'
import { collapse, isAllReady, psRows, renderDeclared, renderPs } from './process-table.ts'

const NOW = Date.UTC(2026, 0, 10, 12)
const plain: Paint = (_, text) => text
const at = (ms: number): string => new Date(NOW + ms).toISOString()
const usage = (cpuPercent: number, mebibytes: number): InstanceStatus['usage'] => ({
  cpuPercent,
  memoryBytes: mebibytes * 1024 ** 2,
  processes: 3,
})
const exit = (code: number, ms: number): InstanceStatus['lastExit'] => ({
  at: at(ms),
  code,
  signal: null,
  words: `exit ${code}`,
  ranMs: 8000,
})
const down = { pid: null, startedAt: null }

const PROCESSES: readonly ProcessStatus[] = [
  createProcess(
    'web',
    [
      createInstance('web.1', { startedAt: at(-273_600_000), usage: usage(12.4, 212) }),
      createInstance('web.2', {
        startedAt: at(-273_600_000),
        pid: 4122,
        usage: usage(11, 209),
        beside: { pid: 5301, invocation: 2, state: 'starting' },
      }),
    ],
    { kind: 'web', listen: ['0.0.0.0:8000'] },
  ),
  createProcess('worker', [
    createInstance('worker.1', { startedAt: at(-61_000), pid: 4130, restarts: 1, usage: usage(3, 1340) }),
    createInstance('worker.2', {
      ...down,
      state: 'backoff',
      restarts: 7,
      nextAt: at(14_000),
      lastExit: { ...(exit(1, -2000) as NonNullable<InstanceStatus['lastExit']>), words: 'exit 1, no broker' },
    }),
    createInstance('worker.3', { ...down, state: 'waiting', waitingFor: ['migrate'] }),
  ]),
  createProcess('migrate', [createInstance('migrate.1', { ...down, state: 'done', lastExit: exit(0, -273_600_000) })], {
    run: 'release',
  }),
  createProcess('nightly', [createInstance('nightly.1', { ...down, state: 'waiting', nextAt: at(9_000_000) })], {
    run: 'once',
    schedule: '30 14 * * *',
  }),
  createProcess('漢字', [createInstance('漢字.1', { ...down, state: 'failed', reason: 'no application' })]),
]

const tables: readonly (readonly [columns: number | undefined, table: string])[] = [
  [
    undefined,
    `NAME       STATE    READY  UPTIME  RESTARTS  CPU   MEM   PID  LISTEN
web.1      running  yes    3d 4h          0  12%  212M  4121  0.0.0.0:8000
web.2      running  yes    3d 4h          0  11%  209M  4122  (same); reloading: pid 5301 starting
worker.1   running  yes    1m 1s          1   3%  1.3G  4130  -
worker.2   backoff  no     -              7    -     -     -  next try in 14s: exit 1, no broker
worker.3   waiting  no     -              0    -     -     -  waits for migrate
migrate.1  done     -      -              -    -     -     -  3d 4h ago, ok
nightly.1  waiting  no     -              -    -     -     -  next run in 2h 30m
漢字.1     failed   no     -              0    -     -     -  no application
`,
  ],
  [
    80,
    `NAME       STATE    READY  UPTIME  RESTARTS  CPU   MEM   PID  LISTEN
web.1      running  yes    3d 4h          0  12%  212M  4121  0.0.0.0:8000
web.2      running  yes    3d 4h          0  11%  209M  4122  (same); reloading…
worker.1   running  yes    1m 1s          1   3%  1.3G  4130  -
worker.2   backoff  no     -              7    -     -     -  next try in 14s: …
worker.3   waiting  no     -              0    -     -     -  waits for migrate
migrate.1  done     -      -              -    -     -     -  3d 4h ago, ok
nightly.1  waiting  no     -              -    -     -     -  next run in 2h 30m
漢字.1     failed   no     -              0    -     -     -  no application
`,
  ],
  [
    50,
    `NAME       STATE    READY  UPTIME  RESTARTS  CPU
web.1      running  yes    3d 4h          0  12%
web.2      running  yes    3d 4h          0  11%
worker.1   running  yes    1m 1s          1   3%
worker.2   backoff  no     -              7    -
worker.3   waiting  no     -              0    -
migrate.1  done     -      -              -    -
nightly.1  waiting  no     -              -    -
漢字.1     failed   no     -              0    -
`,
  ],
  [
    5,
    `NAME
web.1
web.2
work…
work…
work…
migr…
nigh…
漢字…
`,
  ],
]

for (const [columns, table] of tables) {
  test(`the table ${columns === undefined ? 'of any width' : `in ${columns} columns`}`, () => {
    assert.equal(renderPs(psRows(createSnapshot(PROCESSES)), NOW, plain, columns), table)
  })
}

test('states have colours, and the widths stay', () => {
  const marked: Paint = (style, text) => `<${style}>${text}</${style}>`
  const text = renderPs(psRows(createSnapshot(PROCESSES.slice(1, 2))), NOW, marked)
  assert.match(text, /worker\.2 {2}<yellow>backoff<\/yellow> {2}no/)
})

test('instances in the same state become one line', () => {
  const rows = collapse(psRows(createSnapshot(PROCESSES.slice(0, 2))))
  assert.equal(
    renderPs(rows, NOW, plain),
    `NAME      STATE    READY  UPTIME  RESTARTS  CPU   MEM   PID  LISTEN
web ×2    running  yes    3d 4h          0  23%  421M     -  0.0.0.0:8000
worker.1  running  yes    1m 1s          1   3%  1.3G  4130  -
worker.2  backoff  no     -              7    -     -     -  next try in 14s: exit 1, no broker
worker.3  waiting  no     -              0    -     -     -  waits for migrate
`,
  )
})

const readiness: readonly (readonly [what: string, processes: readonly ProcessStatus[], ready: boolean])[] = [
  ['a running one is ready', PROCESSES.slice(0, 1), true],
  ['one that waits to be started again is not', PROCESSES.slice(1, 2), false],
  ['one that ran to completion is', PROCESSES.slice(2, 3), true],
  ['one that waits for its time is', PROCESSES.slice(3, 4), true],
  ['a failed one is not', PROCESSES.slice(4), false],
  [
    'one that nobody wants is no matter',
    [createProcess('web', [createInstance('web.1', { state: 'stopped' })], { wanted: 'stopped' })],
    true,
  ],
]

for (const [what, processes, ready] of readiness) {
  test(what, () => {
    assert.equal(isAllReady(createSnapshot(processes)), ready)
  })
}

test('where nothing runs, the declared processes are listed', () => {
  assert.equal(renderDeclared(['web', 'worker'], plain), 'NAME    STATE\nweb     -\nworker  -\n')
})
