import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ProcessEvent } from '../../control/protocol.ts'
import { type Journal, openJournal } from './event-log.ts'

const NOW_MS = Date.UTC(2026, 0, 31, 12, 30)

interface Given {
  readonly dir: string
  readonly path: string
  /** As a supervisor does that comes after the one before. */
  readonly open: (maxBytes?: number) => Journal
}

function given(t: TestContext): Given {
  const dir = mkdtempSync(join(tmpdir(), 'prodserver-'))
  const open: Given['open'] = (maxBytes) => {
    const journal = openJournal(dir, maxBytes)
    t.after(journal.close)
    return journal
  }
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return { dir, path: join(dir, 'events.jsonl'), open }
}

const note = (journal: Journal, message: string): ProcessEvent => journal.write({ type: 'note', message }, NOW_MS)

const idsIn = (path: string): readonly number[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as ProcessEvent).id)

test('an event has its number, its time, and nothing where it is of no process', (t) => {
  const { open, path } = given(t)
  const event = note(open(), 'hello')
  assert.deepEqual(event, {
    id: 1,
    time: '2026-01-31T12:30:00.000Z',
    process: null,
    instance: null,
    invocation: null,
    pid: null,
    type: 'note',
    message: 'hello',
  })
  assert.equal(readFileSync(path, 'utf8'), `${JSON.stringify(event)}\n`)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('numbers go on where an earlier supervisor stopped', (t) => {
  const { open, path } = given(t)
  const before = open()
  note(before, 'a')
  note(before, 'b')
  before.close()
  assert.equal(note(open(), 'c').id, 3)
  assert.deepEqual(idsIn(path), [1, 2, 3])
})

test('numbers go on after a line that was cut off, which costs no other line', (t) => {
  const { open, path } = given(t)
  const before = open()
  note(before, 'a')
  note(before, 'b')
  before.close()
  truncateSync(path, statSync(path).size - 20)
  assert.equal(note(open(), 'c').id, 2)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  assert.deepEqual([lines.length, (JSON.parse(lines[2] ?? '') as ProcessEvent).message], [3, 'c'])
})

test('a line that is no event is passed over', (t) => {
  const { open, path } = given(t)
  note(open(), 'a')
  appendFileSync(path, '{}\nnull\n\n')
  assert.equal(note(open(), 'b').id, 2)
})

test('a file that is full becomes the one before; numbers go on, also for the next supervisor', (t) => {
  const { open, path, dir } = given(t)
  const journal = open(1000)
  for (let count = 0; count < 20 && !existsSync(join(dir, 'events.1.jsonl')); count++) note(journal, 'x'.repeat(100))
  journal.close()
  const count = idsIn(join(dir, 'events.1.jsonl')).length
  assert.ok(count > 1)
  assert.equal(readFileSync(path, 'utf8'), '')
  assert.equal(note(open(1000), 'next').id, count + 1)
  assert.deepEqual(idsIn(path), [count + 1])
})

test('there are two files at most, and none is much larger than it may be', (t) => {
  const { open, path, dir } = given(t)
  const journal = open(1000)
  for (let count = 0; count < 100; count++) note(journal, 'x'.repeat(100))
  assert.ok(statSync(path).size < 1000)
  assert.ok(statSync(join(dir, 'events.1.jsonl')).size < 1500)
  const ids = [...idsIn(join(dir, 'events.1.jsonl')), ...idsIn(path)]
  assert.deepEqual(
    ids,
    ids.map((_, index) => 101 - ids.length + index),
  )
})

test('who subscribes is told of what happens from then on, until it ends the subscription', (t) => {
  const journal = given(t).open()
  note(journal, 'before')
  const heard: string[] = []
  const end = journal.subscribe(({ id, message }) => void heard.push(`${id} ${message}`))
  note(journal, 'during')
  end()
  note(journal, 'after')
  assert.deepEqual(heard, ['2 during'])
})

test('a full disk ends nothing: who listens is told all the same', (t) => {
  const { open, path } = given(t)
  symlinkSync('/dev/full', path)
  const journal = open()
  const heard: number[] = []
  journal.subscribe(({ id }) => void heard.push(id))
  note(journal, 'a')
  note(journal, 'b')
  assert.deepEqual(heard, [1, 2])
})

test('a folder that somebody removed ends nothing', (t) => {
  const { open, path, dir } = given(t)
  const journal = open(100)
  rmSync(dir, { recursive: true })
  assert.doesNotThrow(() => note(journal, 'x'.repeat(200)))
  assert.equal(existsSync(path), false)
})

test('what happens after the end is told, and written nowhere', (t) => {
  const { open, path } = given(t)
  const journal = open()
  journal.close()
  assert.equal(note(journal, 'late').id, 1)
  assert.equal(readFileSync(path, 'utf8'), '')
  journal.close()
})
