import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileSystemOf, logBytes, readMachine } from './machine.ts'

const M = 1024 ** 2

/** A machine of files: 8 GiB available, 16 processors that may be used. */
function machineOf(t: TestContext, files: Readonly<Record<string, string>>): ReturnType<typeof readMachine> {
  const root = mkdtempSync(join(tmpdir(), 'prodserver-machine-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const all = {
    'proc/meminfo': 'MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:    8388608 kB\n',
    'proc/self/limits':
      'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 unlimited            files     \n',
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return readMachine(16, join(root, 'state'), { proc: join(root, 'proc'), cgroups: join(root, 'cgroup') })
}

test('without a control group a machine has what it has', (t) => {
  const { processors, memory, openFiles } = machineOf(t, { 'proc/self/cgroup': '0::/\n' })
  assert.equal(processors.usable, 16)
  assert.ok(processors.all >= 16)
  assert.deepEqual(memory, { bytes: 8192 * M, limitedBy: null })
  assert.deepEqual(openFiles, { soft: 1024, hard: Number.POSITIVE_INFINITY })
})

test('a control group limits processors and memory, and what it only keeps for reading counts as left', (t) => {
  const { processors, memory } = machineOf(t, {
    'proc/self/cgroup': '0::/system.slice/shop.service\n',
    'cgroup/cgroup.controllers': 'cpu memory\n',
    'cgroup/system.slice/memory.max': 'max\n',
    'cgroup/system.slice/cpu.max': 'max 100000\n',
    'cgroup/system.slice/shop.service/memory.max': `${512 * M}\n`,
    'cgroup/system.slice/shop.service/memory.current': `${200 * M}\n`,
    'cgroup/system.slice/shop.service/memory.stat': `anon ${150 * M}\nfile ${50 * M}\ninactive_file ${40 * M}\n`,
    'cgroup/system.slice/shop.service/cpu.max': '250000 100000\n',
  })
  assert.equal(processors.usable, 2)
  assert.equal(memory?.bytes, 352 * M)
  assert.match(memory.limitedBy ?? '', /cgroup\/system\.slice\/shop\.service\/memory\.max$/)
})

test('the tightest group above ours limits us', (t) => {
  const { processors, memory } = machineOf(t, {
    'proc/self/cgroup': '0::/kubepods/pod1/c1\n',
    'cgroup/kubepods/memory.max': `${100 * M}\n`,
    'cgroup/kubepods/memory.current': '0\n',
    'cgroup/kubepods/pod1/c1/memory.max': `${512 * M}\n`,
    'cgroup/kubepods/pod1/cpu.max': '50000 100000\n',
  })
  // Half a processor runs one process at a time.
  assert.equal(processors.usable, 1)
  assert.equal(memory?.bytes, 100 * M)
})

test('inside a container our group is the root, also where the path is that of the host', (t) => {
  const v2 = machineOf(t, {
    'proc/self/cgroup': '0::/\n',
    'cgroup/memory.max': `${256 * M}\n`,
    'cgroup/memory.current': `${56 * M}\n`,
    'cgroup/cpu.max': '400000 100000\n',
  })
  assert.deepEqual([v2.processors.usable, v2.memory?.bytes], [4, 200 * M])
  const v1 = machineOf(t, {
    'proc/self/cgroup': '5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n',
    'cgroup/memory/memory.limit_in_bytes': `${256 * M}\n`,
    'cgroup/memory/memory.usage_in_bytes': `${56 * M}\n`,
    'cgroup/memory/memory.stat': `total_inactive_file ${6 * M}\n`,
    'cgroup/cpu/cpu.cfs_quota_us': '300000\n',
    'cgroup/cpu/cpu.cfs_period_us': '100000\n',
  })
  assert.deepEqual([v1.processors.usable, v1.memory?.bytes], [3, 206 * M])
})

test('a system that does not tell is not judged', (t) => {
  const { memory, openFiles } = machineOf(t, { 'proc/meminfo': '', 'proc/self/limits': '' })
  assert.deepEqual([memory, openFiles], [null, null])
})

test('the file system of a folder that is to be made is that of the nearest that exists', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'prodserver-machine-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const { folder, freeBytes, sizeBytes } = fileSystemOf(join(root, 'not', 'yet'))
  assert.equal(folder, root)
  assert.ok(freeBytes > 0 && sizeBytes >= freeBytes)
})

test('the logs of a state directory are counted, and none where there is no such folder', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'prodserver-machine-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  assert.equal(logBytes(join(root, 'state')), 0)
  mkdirSync(join(root, 'logs'))
  writeFileSync(join(root, 'logs', 'web.1.log'), 'x'.repeat(1000))
  writeFileSync(join(root, 'logs', 'web.1.3.log.gz'), 'x'.repeat(24))
  assert.equal(logBytes(root), 1024)
})
