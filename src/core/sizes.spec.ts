import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseSizeBytes, printRoundedSize, printSize, splitSize, toMebibytes } from './sizes.ts'

const sizes: readonly (readonly [value: string | number, bytes: number | undefined])[] = [
  [0, 0],
  [1000, 1000],
  [-1, undefined],
  [Number.NaN, undefined],
  ['1000', 1000],
  ['12B', 12],
  ['1K', 1024],
  ['1k', 1024],
  ['512M', 536_870_912],
  ['512MB', 536_870_912],
  ['512MiB', 536_870_912],
  ['1.5G', 1_610_612_736],
  ['2T', 2_199_023_255_552],
  [' 512 M ', 536_870_912],
  ['', undefined],
  ['M', undefined],
  ['lots', undefined],
  ['-1M', undefined],
  ['512X', undefined],
  ['512 M B', undefined],
  ['1e3', undefined],
]

for (const [value, bytes] of sizes) {
  test(`${JSON.stringify(value)} is ${bytes === undefined ? 'not a size' : `${bytes} bytes`}`, () => {
    assert.equal(parseSizeBytes(value), bytes)
  })
}

const printed: readonly (readonly [bytes: number, exact: string, rounded: string])[] = [
  [0, '0B', '0B'],
  [999, '999B', '999B'],
  [1000, '1000B', '1K'],
  [1536, '1536B', '2K'],
  [88 * 1024 ** 2, '88M', '88M'],
  [1000 * 1024 ** 2, '1000M', '1.0G'],
  [1.25 * 1024 ** 3, '1280M', '1.3G'],
  [20 * 1024 ** 3, '20G', '20G'],
  [2 * 1024 ** 4, '2T', '2.0T'],
]

for (const [bytes, exact, rounded] of printed) {
  test(`prints ${bytes} bytes as ${exact}, about ${rounded}`, () => {
    assert.equal(printSize(bytes), exact)
    assert.equal(printRoundedSize(bytes), rounded)
  })
}

test('parses every size that it prints', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(1, 1024, 1024 ** 2), (count, unit) => {
      assert.equal(parseSizeBytes(printSize(count * unit)), count * unit)
    }),
  )
})

test('divides by the largest unit that leaves no fraction', () => {
  assert.deepEqual(splitSize(1024 ** 3), [1, 'G'])
  assert.deepEqual(splitSize(1025), [1025, 'B'])
  assert.deepEqual([toMebibytes(1), toMebibytes(1024 ** 2), toMebibytes(1024 ** 2 + 1)], [1, 1, 2])
})
