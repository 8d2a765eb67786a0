import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type ProcessRow, readProcess } from './process-table.ts'
import { memoryBytes, ticksBetween, UsageSampler } from './usage.ts'

const row = (pid: number, cpuTicks: number, ppid = 1, startTicks = 7): ProcessRow => ({
  pid,
  ppid,
  pgid: 10,
  sid: 10,
  state: 'S',
  startTicks,
  cpuTicks,
  command: 'python',
})

const seen = (...rows: readonly ProcessRow[]): ReadonlyMap<number, ProcessRow> =>
  new Map(rows.map((each) => [each.pid, each]))

const spans: readonly (readonly [
  what: string,
  before: readonly ProcessRow[],
  now: readonly ProcessRow[],
  ticks: number,
])[] = [
  ['of all processes', [row(10, 5), row(11, 7, 10)], [row(10, 6), row(11, 9, 10)], 3],
  ['of one that is new', [row(10, 5)], [row(10, 5), row(11, 4, 10)], 4],
  ['of one with a number that another had', [row(10, 50)], [row(10, 3, 1, 8)], 3],
  ['of a child that was collected, since it was seen', [row(10, 5), row(11, 100, 10)], [row(10, 108)], 3],
  ['of a child that came and went between', [row(10, 5)], [row(10, 25)], 20],
  ['of a child whose time nobody took over', [row(10, 5), row(11, 100, 10)], [row(10, 6)], 0],
  ['of none', [], [], 0],
]

for (const [what, before, now, ticks] of spans) {
  test(`processor time is that ${what}`, () => {
    assert.equal(ticksBetween(seen(...before), now), ticks)
  })
}

/** A folder like `/proc`, with files of some processes. */
function procWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const proc = mkdtempSync(join(tmpdir(), 'prodserver-'))
  t.after(() => rmSync(proc, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(proc, path, '..'), { recursive: true })
    writeFileSync(join(proc, path), text)
  }
  return proc
}

test('memory is what a process has in proportion, or else all that is resident', (t) => {
  const proc = procWith(t, {
    '1/smaps_rollup': '5-7 ---p 0 0:0 0 [rollup]\nRss:     1740 kB\nPss:      340 kB\nPss_Dirty: 116 kB\n',
    '1/statm': '1000 435 100 1 0 50 0\n',
    '2/smaps_rollup': '',
    '2/statm': '1000 435 100 1 0 50 0\n',
  })
  assert.equal(memoryBytes(1, proc), 340 * 1024)
  assert.equal(memoryBytes(2, proc), 435 * 4096)
  assert.equal(memoryBytes(2, proc, 65_536), 435 * 65_536)
  assert.equal(memoryBytes(3, proc), 0)
})

test('usage is of the whole tree, and its processor share since the last time', (t) => {
  const proc = procWith(t, { '10/statm': '9 2', '11/statm': '9 3', uptime: '5.07 9.1\n' })
  let nowMs = 1000
  const sampler = new UsageSampler({ nowMs: () => nowMs, proc })
  const memory = { memoryBytes: 5 * 4096, processes: 2 }
  assert.deepEqual(sampler.measure('web.1', [row(10, 50), row(11, 0, 10)]), { cpuPercent: 10, ...memory })
  nowMs += 2000
  assert.deepEqual(sampler.measure('web.1', [row(10, 250), row(11, 101, 10)]), { cpuPercent: 150.5, ...memory })
  assert.deepEqual(sampler.measure('web.1', [row(10, 250), row(11, 101, 10)]), { cpuPercent: 0, ...memory })
  nowMs += 1000
  sampler.forget('web.1')
  assert.equal(sampler.measure('web.1', [row(10, 250)]).cpuPercent, 50)
  assert.deepEqual(sampler.measure('other', []), { cpuPercent: 0, memoryBytes: 0, processes: 0 })
})

test('a real process has a size', () => {
  const self = readProcess(process.pid)
  assert.ok(self)
  const usage = new UsageSampler().measure('self', [self])
  assert.ok(usage.memoryBytes > 1024 * 1024)
  assert.equal(usage.processes, 1)
})
