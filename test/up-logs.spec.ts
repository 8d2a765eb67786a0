import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Exit } from '../src/control/protocol.ts'
import { launchValues } from '../src/plan/planned-keys.ts'
import type { Shim, ShimEvents } from '../src/supervisor/shim/client.ts'
import { openShim } from '../src/supervisor/shim/open-shim.ts'
import { BIN, cleanEnv, findProgram, PYTHON, ROOT } from './support/environment.ts'
import { type Finished, run, start, waitUntil } from './support/running.ts'
import { createSpec } from './support/specs.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

const COUNT_LINES = join(ROOT, 'test', 'fixtures', 'count_lines.py')

/** The log files of an instance in the order in which they were begun, and what is in them. */
function filesOf(stateDir: string, instance: string): readonly { name: string; bytes: Buffer }[] {
  for (;;) {
    try {
      return readFiles(stateDir, instance)
    } catch (error) {
      // One got another name meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

function readFiles(stateDir: string, instance: string): readonly { name: string; bytes: Buffer }[] {
  const folder = join(stateDir, 'logs')
  const sequence = (name: string): number => Number(/\.(\d+)\.log/.exec(name.slice(instance.length))?.[1] ?? Infinity)
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${instance}.`) && /\.log(\.gz)?$/.test(name))
    .toSorted((a, b) => sequence(a) - sequence(b))
    .map((name) => {
      const bytes = readFileSync(join(folder, name))
      return { name, bytes: name.endsWith('.gz') ? gunzipSync(bytes) : bytes }
    })
}

const bytesOf = (stateDir: string, instance: string): Buffer =>
  Buffer.concat(filesOf(stateDir, instance).map(({ bytes }) => bytes))

/** Lines of 100 bytes from 0 on, each once, whole and in order. */
function assertCounted(lines: readonly string[], count: number): void {
  const wrong = lines.findIndex((line, number) => Number(line.slice(0, 8)) !== number || line.length !== 99)
  assert.equal(wrong, -1, `line ${wrong} is ${JSON.stringify(lines.slice(Math.max(0, wrong - 1), wrong + 2))}`)
  assert.equal(lines.length, count)
}

const linesOf = (text: string): readonly string[] => text.replace(/\n$/, '').split('\n')

for (const compress of [false, true]) {
  test(`each line is there once, whole and in order, while files are rotated${compress ? ' and compressed' : ''}`, async (t) => {
    const count = 100_000
    const site = createSupervised(t, {
      processes: {
        flood: {
          BACKEND: 'command',
          APP: `${PYTHON} ${COUNT_LINES} ${count} 100 130`,
          INSTANCES: 4,
          READY: { delay: '10ms' },
          LOG: { max_size: '1M', keep: 1000, compress },
        },
      },
    })
    await site.up()
    const ids = [1, 2, 3, 4].map((number) => `flood.${number}`)
    for (const id of ids) {
      await waitUntil(
        async () =>
          (await site.cli('logs', id, '--raw', '-n', '1')).stdout.startsWith(String(count - 1).padStart(8, '0')) ||
          undefined,
      )
      const rest = (): readonly string[] =>
        readdirSync(join(site.stateDir, 'logs')).filter((name) => /\.\d+\.log(\.gz\.new)?$/.test(name.slice(7)))
      if (compress)
        await waitUntil(
          () => rest().length === 0 || undefined,
          30_000,
          () => rest().join(' '),
        )
      const files = filesOf(site.stateDir, id)
      assert.ok(files.length > 5, `${files.length} files`)
      // At the end of a line; where there is none, not much later.
      assert.ok(files.every(({ bytes }) => bytes.length < 2.2 * 1024 ** 2 && (bytes.at(-1) ?? 10) === 10))
      assertCounted(linesOf(Buffer.concat(files.map(({ bytes }) => bytes)).toString()), count)
    }
    const [first = ''] = ids
    assertCounted(linesOf((await site.cli('logs', first, '--raw', '-n', 'all')).stdout), count)
    const json = linesOf((await site.cli('logs', first, '--json', '--run', '1')).stdout)
    assertCounted(
      json.map((line) => (JSON.parse(line) as { line: string }).line),
      count,
    )
  })
}

for (const compress of [false, true]) {
  test(`of the full files as many are kept as declared${compress ? ', compressed ones as well' : ''}`, async (t) => {
    const site = createSupervised(t, {
      processes: {
        flood: {
          BACKEND: 'command',
          APP: `${PYTHON} ${COUNT_LINES} 20000 100 100 0.001`,
          READY: { delay: '10ms' },
          LOG: { max_size: '100K', keep: 2, compress },
        },
      },
    })
    await site.up()
    await waitUntil(
      async () => (await site.cli('logs', 'flood', '--raw', '-n', '1')).stdout.startsWith('00019999') || undefined,
    )
    const full = await waitUntil(() => {
      const files = filesOf(site.stateDir, 'flood.1').filter(({ name }) =>
        /\.\d+\.log/.test(name.slice('flood.1'.length)),
      )
      return files.every(({ name }) => name.endsWith('.gz') === compress) ? files : undefined
    })
    assert.equal(full.length, 2)
    // The newest are those that are kept.
    const lines = linesOf(bytesOf(site.stateDir, 'flood.1').toString())
    assert.equal(lines.at(-1)?.slice(0, 8), '00019999')
    assert.equal(lines.length, 20_000 - Number(lines[0]?.slice(0, 8)))
    assert.equal((await site.cli('down')).code, 0)
  })
}

test('who follows is given each line once, while files are rotated and compressed behind', async (t) => {
  const count = 40_000
  const site = createSupervised(t, {
    processes: {
      flood: {
        BACKEND: 'command',
        APP: `${PYTHON} ${COUNT_LINES} ${count} 100 30 0.002`,
        READY: { delay: '10ms' },
        LOG: { max_size: '50K', keep: 1000, compress: true },
      },
    },
  })
  await site.up()
  const following = start(t, process.execPath, [BIN, 'logs', '-f', '-n', 'all', '--raw', 'flood'], {
    cwd: site.root,
    env: { ...site.env, PRODSERVER_PYTHON: PYTHON },
  })
  await following.waitForOutput(new RegExp(`^${String(count - 1).padStart(8, '0')}`, 'm'), 60_000)
  following.signal('SIGINT')
  await following.ended()
  assertCounted(linesOf(following.stdout()), count)
  assert.equal((await site.cli('down')).code, 0)
})

test('any bytes are kept: a line of 10 MB, what is no text, and an end without a newline', async (t) => {
  const script = `
import os, sys
def write(data):
    while data:
        data = data[os.write(1, data):]
write(b"first\\n" + b"x" * 10_000_000 + b"\\n")
write(bytes(range(256)) * 100 + b"\\n")
write(b"\\n\\n" + b"y" * 3_000_000 + b"\\nno newline")
`
  const site = createSupervised(t, {
    files: { 'bytes.py': script },
    processes: {
      bytes: {
        BACKEND: 'command',
        APP: `${PYTHON} bytes.py`,
        RUN: 'once',
        LOG: { max_size: '1M', keep: 1000, compress: false },
      },
    },
  })
  await site.up()
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const expected = Buffer.concat([
    Buffer.from(`first\n${'x'.repeat(10_000_000)}\n`),
    ...Array.from({ length: 100 }, () => every),
    Buffer.from(`\n\n\n${'y'.repeat(3_000_000)}\nno newline`),
  ])
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  assert.equal(digest(bytesOf(site.stateDir, 'bytes.1')), digest(expected))
  const raw = execFileSync(process.execPath, [BIN, 'logs', 'bytes', '--raw', '-n', 'all'], {
    cwd: site.root,
    env: cleanEnv({ PRODSERVER_PYTHON: PYTHON, ...site.env }),
    maxBuffer: 1 << 27,
  })
  assert.equal(digest(Buffer.from(raw)), digest(expected))
})

test('two lives that print at once during a reload keep their lines apart', async (t) => {
  const script = `
import os, signal
number = 0
more = 1 << 60
def stop(*_):
    global more
    more = 20000
signal.signal(signal.SIGTERM, stop)
while more > 0:
    os.write(1, b"".join(b"%08d" % (number + i) + b" " * 90 + b".\\n" for i in range(20)))
    number += 20
    more -= 20
    signal.sigtimedwait([], 0.001)
`
  const site = createSupervised(t, {
    files: { 'talk.py': script },
    processes: {
      talk: {
        BACKEND: 'command',
        APP: `${PYTHON} talk.py`,
        READY: { delay: '100ms' },
        RELOAD: 'rolling',
        LOG: { max_size: '256K', keep: 1000, compress: false },
      },
    },
  })
  await site.up()
  assert.equal((await site.cli('reload', 'talk')).code, 0)
  assert.equal((await site.cli('reload', 'talk')).code, 0)
  assert.equal((await site.cli('down')).code, 0)
  for (const number of ['1', '2', '3']) {
    const lines = linesOf((await site.cli('logs', 'talk', '--raw', '--run', number)).stdout)
    assert.ok(lines.length >= 20_000, `${lines.length} lines of run ${number}`)
    assertCounted(lines, lines.length)
  }
})

/** Lines as fast as they are taken until there is a file; how many there were is noted. */
const UNTIL_TOLD = `
import os, signal
number = 0
while not os.path.exists("enough"):
    data = b"".join(b"%08d" % (number + i) + b" " * 90 + b".\\n" for i in range(70))
    while data:
        # Lines are torn between two writes.
        data = data[os.write(1, data[:4321]):]
    number += 70
    with open("written.new", "w") as file:
        file.write(str(number))
    os.rename("written.new", "written")
    signal.sigtimedwait([], 0.005)
open("done", "w").close()
signal.pause()
`

/** Runs commands where the state directory is a small disk of its own, which goes with the test. */
async function onSmallDisk(
  t: TestContext,
  site: Supervised,
  size: string,
): Promise<{
  cli: (...args: readonly string[]) => Promise<Finished>
  stateDir: string
  resize: (size: string) => Promise<void>
}> {
  const script = `mount -t tmpfs -o size=${size},mode=700 tmpfs "$1" && echo mounted && exec sleep 600`
  const holder = start(t, 'unshare', ['--mount', 'sh', '-c', script, 'sh', site.stateDir])
  await holder.waitForOutput(/mounted/)
  const inside = (...words: readonly string[]): Promise<Finished> =>
    run(t, 'nsenter', ['--target', String(holder.pid), '--mount', `--wd=${site.root}`, ...words], {
      cwd: site.root,
      env: { PRODSERVER_PYTHON: PYTHON, ...site.env },
    })
  return {
    cli: (...args) => inside(process.execPath, BIN, ...args),
    stateDir: join('/proc', String(holder.pid), 'root', site.stateDir),
    resize: async (next) => {
      const { code, stderr } = await inside('mount', '-o', `remount,size=${next}`, site.stateDir)
      assert.equal(code, 0, stderr)
    },
  }
}

test('on a full disk programs go on, what cannot be stored is counted exactly, and the rest is stored when there is room', async (t) => {
  if (process.getuid?.() !== 0 || !findProgram('unshare') || !findProgram('nsenter')) {
    t.skip('mounting a small disk takes the superuser')
    return
  }
  const site = createSupervised(t, {
    files: { 'until_told.py': UNTIL_TOLD },
    processes: {
      talk: {
        BACKEND: 'command',
        APP: `${PYTHON} until_told.py`,
        READY: { delay: '10ms' },
        LOG: { max_size: '256K', keep: 10_000, compress: false },
      },
    },
  })
  const disk = await onSmallDisk(t, site, '2M')
  const up = await disk.cli('up', '-d')
  assert.equal(up.code, 0, up.stderr)
  const written = (): number =>
    existsSync(join(site.root, 'written')) ? Number(readFileSync(join(site.root, 'written'), 'utf8')) : 0
  const until = async (lines: number): Promise<unknown> => waitUntil(() => written() >= lines || undefined)
  for (const size of ['4M', '64M']) {
    await waitUntil(() => statfsSync(disk.stateDir).bavail === 0 || undefined)
    // It is not made to wait.
    await until(written() + 10_000)
    await disk.resize(size)
    await until(written() + 5000)
  }
  writeFileSync(join(site.root, 'enough'), '')
  await waitUntil(() => existsSync(join(site.root, 'done')) || undefined)
  const last = `${String(written() - 1).padStart(8, '0')} `
  await waitUntil(() => bytesOf(disk.stateDir, 'talk.1').includes(last) || undefined)
  const text = bytesOf(disk.stateDir, 'talk.1').toString()
  assert.equal((await disk.cli('logs', 'talk', '--raw', '-n', 'all')).stdout, text)
  let next = 0
  const losses: number[] = []
  for (const line of linesOf(text)) {
    const [, count, bytes] =
      /^\[prodserver\] (\d+) lines \((\d+) bytes\) could not be stored: No space/.exec(line) ?? []
    if (count === undefined) {
      assert.deepEqual([line.length, Number(line.slice(0, 8))], [99, next])
      next++
    } else {
      assert.equal(Number(bytes), 100 * Number(count))
      next += Number(count)
      losses.push(Number(count))
    }
  }
  assert.equal(next, written())
  assert.ok(losses.length >= 2, `${losses.length} gaps`)
  assert.ok(losses.some((count) => count > 5000))
  const events = readFileSync(join(disk.stateDir, 'events.jsonl'), 'utf8')
  for (const count of losses.slice(-1)) assert.match(events, new RegExp(`"log-lost".*\\b${count} lines`))
  assert.equal((await disk.cli('ps', '--json')).stdout.includes('"restarts":0'), true)
  assert.equal((await disk.cli('down')).code, 0)
})

/** What older Pythons, or systems, do not have. */
const WITHOUT: readonly (readonly [name: string, code: string])[] = [
  ['splice and pidfd_open in Python, as before 3.10', ''],
  ['any splice', 'sys.modules["ctypes"] = None'],
]

for (const [name, code] of WITHOUT) {
  test(`the shim does without ${name}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'prodserver-shim-'))
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
    const python = join(folder, 'python')
    const program = `import os, sys, runpy; vars(os).pop("splice", None); vars(os).pop("pidfd_open", None); ${code || 'pass'}; runpy.run_path(sys.argv[1], run_name="__main__")`
    writeFileSync(
      python,
      `#!/bin/sh\nshift 3\nprogram=$1\nshift\nexec ${PYTHON} -I -S -c '${program.replace('sys.argv[1]', 'sys.argv.pop(1)')}' "$program" "$@"\n`,
    )
    chmodSync(python, 0o755)
    for (const name of ['logs', 'run']) mkdirSync(join(folder, name))
    const life = { token: 'flood.1#1', instance: 'flood.1', invocation: 1 }
    const seen: { pid: number; startTicks: number; exit: Exit | null; lost: boolean } = {
      pid: 0,
      startTicks: 0,
      exit: null,
      lost: false,
    }
    const events: ShimEvents = {
      onSpawned: (_, pid, startTicks) => Object.assign(seen, { pid, startTicks }),
      onFailed: (_, failure) => assert.fail(JSON.stringify(failure)),
      onExited: (_, exit) => void (seen.exit = exit),
      onNotify: () => {},
      onLog: () => {},
      onLost: () => void (seen.lost = true),
    }
    const open = async (): Promise<Shim> => {
      const shim = await openShim({ stateDir: folder, python, env: process.env }, events)
      t.after(() => {
        // It has ended, unless the test failed.
        if (existsSync(`/proc/${shim.pid}`)) process.kill(shim.pid, 'SIGKILL')
      })
      return shim
    }
    const first = await open()
    t.after(() => {
      // It has ended, unless the test failed.
      if (seen.pid > 0 && !seen.exit) process.kill(seen.pid, 'SIGKILL')
    })
    const log = { maxSizeBytes: 65_536, keep: 10_000 }
    first.listen()
    first.log('flood.1', log)
    const argv = [PYTHON, COUNT_LINES, '20000', '100', '30', '0.0005']
    first.start({ ...life, ...launchValues(createSpec()), argv, env: {}, lock: null, sockets: [] })
    await waitUntil(() => filesOf(folder, 'flood.1').length > 3 || undefined)
    // Without splice a moment is left in which bytes are nowhere: there it must not be killed.
    const isExact = code === ''
    if (isExact) {
      process.kill(first.pid, 'SIGKILL')
      await waitUntil(() => seen.lost || undefined)
    } else first.leave()
    const second = await open()
    if (isExact) {
      second.log('flood.1', log)
      second.adopt({ ...life, pid: seen.pid, startTicks: seen.startTicks }, join(folder, 'run', 'flood.1-1.log'))
    }
    second.listen()
    await waitUntil(() => bytesOf(folder, 'flood.1').length === 2_000_000 || undefined)
    assertCounted(linesOf(bytesOf(folder, 'flood.1').toString()), 20_000)
    second.signal(life.token, 'SIGTERM')
    const exit = await waitUntil(() => seen.exit ?? undefined)
    assert.deepEqual(exit, isExact ? { code: null, signal: null } : { code: 0, signal: null })
    await second.quit()
  })
}
