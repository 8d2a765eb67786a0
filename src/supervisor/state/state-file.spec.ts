import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { emptyState, readState, type SavedState, STATE_VERSION, writeState } from './state-file.ts'

const BOOT = 'boot-1'

const saved: SavedState = {
  version: STATE_VERSION,
  bootId: BOOT,
  processes: { web: { wanted: 'running', scaled: 3, runs: [4, 1, 1] } },
  lives: [
    {
      instance: 'web.1',
      process: 'web',
      run: 4,
      pid: 42,
      startTicks: 1000,
      hash: 'abc',
      startedMs: 1,
      ready: true,
      restarts: 2,
      stopping: false,
      beside: false,
      probeAddress: null,
      stop: { signal: 'TERM', timeoutMs: 30_000 },
    },
  ],
  releases: { migrate: '7f2c1aa' },
}

function folder(t: TestContext): { dir: string; file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'prodserver-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return { dir, file: join(dir, 'state.json') }
}

test('what was written is read', (t) => {
  const { dir } = folder(t)
  writeState(dir, saved)
  assert.deepEqual(readState(dir, BOOT), saved)
})

test('where there is nothing, nothing is known', (t) => {
  assert.deepEqual(readState(folder(t).dir, BOOT), emptyState(BOOT))
})

test('after a new start of the system no life is left; what was wanted is still known', (t) => {
  const { dir } = folder(t)
  writeState(dir, saved)
  assert.deepEqual(readState(dir, 'boot-2'), { ...saved, bootId: 'boot-2', lives: [] })
})

test('a file of another version is not taken for one of ours', (t) => {
  const { dir, file } = folder(t)
  writeFileSync(file, JSON.stringify({ ...saved, version: STATE_VERSION + 1 }))
  assert.deepEqual(readState(dir, BOOT), emptyState(BOOT))
})

test('wherever a file was cut off, or whatever else it is, it is no reason not to start', (t) => {
  const { dir, file } = folder(t)
  const text = JSON.stringify(saved)
  const cuts = Array.from({ length: text.length }, (_, end) => text.slice(0, end))
  for (const content of [...cuts, 'null', '[]', '7', '"web"', '\0'.repeat(100)]) {
    writeFileSync(file, content)
    assert.deepEqual(readState(dir, BOOT), emptyState(BOOT), content)
  }
})

test('a writer that dies in the middle leaves the old one whole', (t) => {
  const { dir } = folder(t)
  writeState(dir, saved)
  // As far as it came.
  writeFileSync(join(dir, 'state.json.new'), '{"version":1,"boo')
  assert.deepEqual(readState(dir, BOOT), saved)
  writeState(dir, { ...saved, releases: {} })
  assert.deepEqual(readState(dir, BOOT).releases, {})
  assert.equal(existsSync(join(dir, 'state.json.new')), false)
})

test('who reads while it is written has the old one or the new one', (t) => {
  const { dir, file } = folder(t)
  writeState(dir, saved)
  const { ino } = statSync(file)
  writeState(dir, { ...saved, releases: { migrate: 'next' } })
  // Another file took the name: nobody ever saw a part of it there.
  assert.notEqual(statSync(file).ino, ino)
})

test('it is for its owner alone, and a line that a person can read', (t) => {
  const { dir, file } = folder(t)
  writeState(dir, saved)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(saved)}\n`)
})
