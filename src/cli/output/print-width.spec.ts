import assert from 'node:assert/strict'
import { test } from 'node:test'
import { displayWidth, padEnd, padStart, truncate } from './print.ts'

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
