import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessEvent } from '../../control/protocol.ts'
import { linesIn, type LogChunk, type LogLine } from '../../logs/lines.ts'
import type { Paint } from './print.ts'
import { renderEvent, renderEventInLog } from './render-event.ts'
import { type LogLook, logLineJson, nameStyle, printable, renderText } from './render-log.ts'
import { createLogStream } from './log-stream.ts'
import { renderStamp } from './render-time.ts'

const T0 = Date.UTC(2026, 0, 10, 12, 1, 44, 120)
const plain: Paint = (_, text) => text
const LOOK: LogLook = { prefix: 'short', paint: plain, utc: true, nameWidth: 8, isTerminal: false, isColoured: false }

const line = (text: string | Uint8Array, more: Partial<LogLine> = {}): LogLine => ({
  timeMs: T0,
  instance: 'web.1',
  run: 3,
  line: Buffer.from(text as Uint8Array),
  whole: true,
  ...more,
})

const prefixes = [
  ['short', '12:01:44.120 web.1    │ GET / 200\n'],
  ['long', '2026-01-10T12:01:44.120Z web.1    3 │ GET / 200\n'],
  ['none', 'GET / 200\n'],
] as const

for (const [prefix, expected] of prefixes) {
  test(`a line with the prefix ${prefix}`, () => {
    assert.equal(stream({ look: { ...LOOK, prefix } }, [line('GET / 200')]), expected)
  })
}

test('a pipe gets the bytes as they are, and a terminal what can be read', () => {
  const bytes = Buffer.from([65, 0, 255, 27, 91, 50, 74, 66])
  assert.deepEqual(renderText(line(bytes), LOOK), bytes)
  assert.equal(renderText(line(bytes), { ...LOOK, isTerminal: true }), 'A␀\ufffdB')
})

const texts: readonly (readonly [text: string, withColours: boolean, expected: string])[] = [
  ['\x1b[32mok\x1b[0m', true, '\x1b[32mok\x1b[0m\x1b[0m'],
  ['\x1b[32mok\x1b[0m', false, 'ok'],
  ['\x1b[2J\x1b[1;1Hgone', true, 'gone'],
  ['\x1b]0;title\x07text', true, 'text'],
  ['\x1b', true, '␛'],
  ['progress\rdone\r', true, 'progress␍done'],
  ['tab\tstays', true, 'tab\tstays'],
  ['a\u202eb\u009bc', true, 'a\ufffdb\ufffdc'],
]

for (const [text, withColours, expected] of texts) {
  test(`${JSON.stringify(text)} on a terminal ${withColours ? 'with' : 'without'} colours`, () => {
    assert.equal(printable(text, withColours), expected)
  })
}

test('a process has one colour, whatever its instance', () => {
  assert.equal(nameStyle('web.1'), nameStyle('web.27'))
})

test('a line as JSON', () => {
  assert.equal(
    logLineJson(line('caf\u00e9')),
    '{"time":"2026-01-10T12:01:44.120Z","process":"web","instance":"web.1","invocation":3,"line":"café"}\n',
  )
})

test('a local time says how far it is from UTC', () => {
  assert.equal(Date.parse(renderStamp(T0, false)), T0)
})

const event = (more: Partial<ProcessEvent>): ProcessEvent => ({
  id: 1,
  time: new Date(T0).toISOString(),
  type: 'exited',
  process: 'worker',
  instance: 'worker.2',
  invocation: 5,
  pid: 77,
  message: 'It ended.',
  ...more,
})

test('events between lines say what happened', () => {
  const rendered = [
    event({ exit: { code: 1, signal: null }, ms: 8000 }),
    event({ exit: { code: null, signal: 'SIGKILL' }, ms: 450 }),
    event({ exit: { code: null, signal: 'SIGTERM' }, ms: 450, message: 'stopped by SIGTERM, after 0.5s' }),
    event({ exit: { code: null, signal: null } }),
    event({ type: 'backoff', message: 'starts again in 14s (attempt 6 of 10).' }),
  ].map((one) => renderEventInLog(one, plain))
  assert.deepEqual(rendered, [
    '-- worker.2 exited 1 after 8s --\n',
    '-- worker.2 was killed by SIGKILL after 0.5s --\n',
    '-- worker.2 stopped by SIGTERM, after 0.5s --\n',
    '-- worker.2 ended, and nobody saw how --\n',
    '-- worker.2 starts again in 14s (attempt 6 of 10) --\n',
  ])
})

test('an event has its evidence below it', () => {
  const text = renderEvent(
    event({ type: 'reload-refused', message: 'Not ready after 30s.', details: 'GET /health/ → 500\nno table' }),
    { paint: plain, utc: true, nameWidth: 9 },
  )
  assert.equal(
    text,
    `12:01:44.120  worker.2   reload-refused  Not ready after 30s.
                         GET /health/ → 500
                         no table
`,
  )
})

function stream(
  options: Partial<Parameters<typeof createLogStream>[0]>,
  lines: readonly LogLine[],
  chunks: readonly LogChunk[] = [],
): string {
  const parts: Buffer[] = []
  const printer = createLogStream({
    write: (bytes, start, end) => parts.push(Buffer.from(bytes as Buffer).subarray(start, end)) > 0,
    json: false,
    raw: false,
    isAlone: true,
    look: LOOK,
    nowMs: T0,
    ...options,
  })
  for (const one of lines) printer.line(one)
  for (const one of chunks) printer.chunk(one)
  return Buffer.concat(parts).toString()
}

test('another day is announced', () => {
  const lines = [line('old', { timeMs: T0 - 86_400_000 }), line('older'), line('new')]
  assert.equal(
    stream({}, lines),
    `-- 2026-01-09 --
12:01:44.120 web.1    │ old
-- 2026-01-10 --
12:01:44.120 web.1    │ older
12:01:44.120 web.1    │ new
`,
  )
})

test('raw lines of one instance are its bytes, those of several do not run together', () => {
  const lines = [line('one'), line('unfinished', { whole: false })]
  const look = { ...LOOK, prefix: 'none' } as const
  assert.equal(stream({ raw: true, look }, lines), 'one\nunfinished')
  assert.equal(stream({ raw: true, look, isAlone: false }, lines), 'one\nunfinished\n')
})

test('a piece of a log is printed as its lines are', () => {
  const chunks = [
    {
      timeMs: T0 - 86_400_000,
      instance: 'web.1',
      run: 3,
      bytes: Buffer.from('old\n\n\xff\x00 bytes\n', 'latin1'),
      whole: true,
    },
    { timeMs: T0, instance: 'worker.12', run: 1, bytes: Buffer.from('unfinished'), whole: false },
    { timeMs: T0, instance: 'web.1', run: 3, bytes: Buffer.from('new\nnewer\n'), whole: true },
  ]
  const lines = chunks.flatMap((chunk) => [...linesIn(chunk)])
  for (const prefix of ['short', 'long', 'none'] as const) {
    for (const more of [{}, { json: true }, { raw: true, isAlone: false }, { isTerminal: true }]) {
      const options = { ...more, look: { ...LOOK, isTerminal: 'isTerminal' in more, prefix } }
      assert.equal(stream(options, [], chunks), stream(options, lines))
    }
  }
})
