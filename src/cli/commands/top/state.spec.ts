import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInstance, createProcess, createSnapshot } from '../../../../test/support/fake-supervisor.ts'
import { parseKeys } from './keys.ts'
import { displayWidth } from '../../output/print.ts'
import { renderTop } from './render.ts'
import { createTopState, type Effect, press, selectedRow, type TopState, withLines, withSnapshot } from './state.ts'

const NOW = Date.now()
const SNAPSHOT = createSnapshot([
  createProcess('web', [createInstance('web.1'), createInstance('web.2')], { kind: 'web', listen: ['0.0.0.0:8000'] }),
  createProcess('漢字プロセス', [
    createInstance('漢字プロセス.1', { state: 'failed', pid: null, reason: '漢字'.repeat(30) }),
  ]),
])
const START: TopState = withSnapshot(
  createTopState(() => true),
  SNAPSHOT,
)

const line = (text: string, timeMs = NOW): Parameters<typeof withLines>[1][number] => ({
  timeMs,
  instance: 'web.1',
  run: 1,
  line: Buffer.from(text),
  whole: true,
})

/** What keys lead to, one after another. */
function type(keys: string, from: TopState = START): { state: TopState; effects: Effect[] } {
  let state = from
  const effects: Effect[] = []
  for (const key of parseKeys(keys)) {
    const step = press(state, key, 5)
    ;({ state } = step)
    if (step.effect) effects.push(step.effect)
  }
  return { state, effects }
}

const moves: readonly (readonly [keys: string, selected: string])[] = [
  ['', 'web.1'],
  ['j', 'web.2'],
  ['\x1b[B', 'web.2'],
  ['jjjjj', '漢字プロセス.1'],
  ['jjk\x1b[A', 'web.1'],
  ['G', '漢字プロセス.1'],
  ['\x1b[6~', '漢字プロセス.1'],
  ['Gg', 'web.1'],
  ['/2\r', 'web.2'],
  ['/2\x1b', 'web.1'],
  ['/漢x\x7f\r', '漢字プロセス.1'],
]

for (const [keys, selected] of moves) {
  test(`${JSON.stringify(keys)} selects ${selected}`, () => {
    assert.equal(selectedRow(type(keys).state)?.status.instance, selected)
  })
}

test('what cannot be taken back is asked about once, and only a yes does it', () => {
  const stop = { verb: 'stop', targets: ['web.2'] }
  const requests = (keys: string): unknown[] =>
    type(keys).effects.map((effect) => (effect.kind === 'act' ? effect.act.request : effect.kind))
  assert.deepEqual(requests('js'), [])
  assert.deepEqual(requests('jsy'), [stop])
  assert.deepEqual(requests('jsn'), [])
  assert.deepEqual(requests('js\ry'), [])
  assert.deepEqual(requests('jry'), [{ verb: 'reload', targets: ['web'] }])
  assert.deepEqual(requests('jsq'), [])
  assert.deepEqual(requests('js\x03'), ['quit'])
  assert.equal(type('jsn').state.message, 'Nothing was done.')
})

test('other keys have their effects', () => {
  const kinds = (keys: string): string[] => type(keys).effects.map(({ kind }) => kind)
  assert.deepEqual(kinds('q'), ['quit'])
  assert.deepEqual(kinds('\x1a\x0c'), ['suspend', 'redraw'])
  assert.deepEqual(type('jw').effects, [{ kind: 'ask-why', instance: 'web.2' }])
  assert.deepEqual(kinds('/q'), [])
  assert.deepEqual(kinds('\x1b[15~é'), [])
})

test('a log that is scrolled back stays where it is', () => {
  const full = withLines(
    START,
    Array.from({ length: 50 }, (_, number) => line(`line ${number}`)),
  )
  const { state } = type('lkkk', full)
  assert.equal(state.back, 3)
  assert.equal(withLines(state, [line('new')]).back, 4)
  assert.equal(type('G', state).state.back, 0)
})

test('the screen', () => {
  const state = withLines(START, [line('hello \x1b[31mred\x1b[0m'), line('x'.repeat(200))])
  const lines = renderTop(state, { columns: 66, rows: 10 }, NOW, (_, text) => text)
  const text = lines.map((row) => row.trimEnd().replace(/\d\d:\d\d:\d\d/, 'HH:MM:SS')).join('\n')
  assert.equal(
    text,
    `prodserver  2 of 3 instances running  mysite.settings  up 0s
  NAME            STATE    READY  UPTIME  RESTARTS  CPU  MEM   PID
> web.1           running  yes    1h             0    -    -  4121
  web.2           running  yes    1h             0    -    -  4121
  漢字プロセス.1  failed   no     -              0    -    -     -
── web.1 log ─────────────────────────────────────────────────────
HH:MM:SS hello red
HH:MM:SS ${'x'.repeat(56)}…

enter log  r reload  s stop  w why  / filter  ? keys  q quit`,
  )
})

const screens: readonly (readonly [what: string, state: TopState])[] = [
  ['the table', withLines(START, [line('漢字'.repeat(100)), line('\t\x00')])],
  ['nothing known', createTopState(() => true)],
  ['nothing found', type('/nothing').state],
  ['a question', type('js').state],
  ['the keys', type('?').state],
  ['a reason', { ...START, panel: 'why', why: ['漢'.repeat(100), 'b'] }],
  ['a message', { ...START, message: 'a\n\x1b[2J'.repeat(50) }],
  ['nobody there', { ...START, isConnected: false }],
]

for (const [what, state] of screens) {
  test(`${what} fits any terminal`, () => {
    for (const columns of [1, 2, 5, 10, 11, 12, 13, 20, 39, 40, 79, 80, 81, 200]) {
      for (const rows of [1, 2, 3, 4, 5, 7, 8, 24, 60]) {
        const lines = renderTop(state, { columns, rows }, NOW, (_, text) => text)
        assert.equal(lines.length, rows, `${columns}x${rows}`)
        for (const text of lines) {
          assert.ok(displayWidth(text) <= columns, `${columns}x${rows}: ${text}`)
          // oxlint-disable-next-line no-control-regex -- what must not be there
          assert.doesNotMatch(text, /[\x00-\x1f]/)
        }
      }
    }
  })
}
