import assert from 'node:assert/strict'
import { test } from 'node:test'
import { displayWidth, padEnd, padStart, renderBytes, renderDuration, truncate } from './print.ts'

const widths: readonly (readonly [text: string, width: number])[] = [
  ['', 0],
  ['web.1', 5],
  ['漢字', 4],
  ['한국어', 6],
  ['e\u0301', 1],
  ['│…×', 3],
  ['🚀', 2],
]

for (const [text, width] of widths) {
  test(`${JSON.stringify(text)} takes ${width} columns`, () => {
    assert.equal(displayWidth(text), width)
  })
}

test('a text is cut to whole characters', () => {
  assert.deepEqual(
    [
      truncate('worker', 6),
      truncate('worker', 5),
      truncate('漢字', 3),
      truncate('漢字', 2),
      truncate('ab', 1),
      truncate('ab', 0),
    ],
    ['worker', 'work…', '漢…', '…', '…', ''],
  )
})

test('texts are padded by what they take', () => {
  assert.deepEqual([padEnd('漢', 4), padStart('漢', 4), padEnd('long', 2)], ['漢  ', '  漢', 'long'])
})

const durations: readonly (readonly [ms: number, text: string])[] = [
  [-5, '0s'],
  [0, '0s'],
  [340, '0.3s'],
  [8000, '8s'],
  [9949, '9.9s'],
  [9950, '10s'],
  [59_600, '1m'],
  [61_000, '1m 1s'],
  [3_600_000, '1h'],
  [3_661_000, '1h 1m'],
  [273_600_000, '3d 4h'],
]

for (const [ms, text] of durations) {
  test(`${ms} ms are ${text}`, () => {
    assert.equal(renderDuration(ms), text)
  })
}

const sizes: readonly (readonly [bytes: number, text: string])[] = [
  [0, '0B'],
  [999, '999B'],
  [1000, '1K'],
  [88 * 1024 ** 2, '88M'],
  [1.25 * 1024 ** 3, '1.3G'],
  [20 * 1024 ** 3, '20G'],
]

for (const [bytes, text] of sizes) {
  test(`${bytes} bytes are ${text}`, () => {
    assert.equal(renderBytes(bytes), text)
  })
}
