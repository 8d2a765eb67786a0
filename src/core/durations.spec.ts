import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  parseDurationMs,
  printDuration,
  printElapsed,
  printGoDuration,
  toSeconds,
  toWholeSeconds,
} from './durations.ts'

const durations: readonly (readonly [value: string | number, ms: number | undefined])[] = [
  [0, 0],
  [2, 2000],
  [0.5, 500],
  [-1, undefined],
  [Number.NaN, undefined],
  ['2', 2000],
  ['0', 0],
  ['1.5', 1500],
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['1m30s', 90_000],
  ['1h 30m', 5_400_000],
  [' 30s ', 30_000],
  ['30 s', 30_000],
  ['', undefined],
  ['s', undefined],
  ['30x', undefined],
  ['30S', undefined],
  ['5min', undefined],
  ['-30s', undefined],
  ['1m30', undefined],
  ['10 parsecs', undefined],
  ['1e3', undefined],
  ['.5s', undefined],
]

for (const [value, ms] of durations) {
  test(`${JSON.stringify(value)} is ${ms === undefined ? 'not a duration' : `${ms} ms`}`, () => {
    assert.equal(parseDurationMs(value), ms)
  })
}

const printed: readonly (readonly [ms: number, exact: string, elapsed: string, go: string])[] = [
  [-5, '0s', '0s', '-5ms'],
  [0, '0s', '0s', '0s'],
  [250, '0.25s', '0.3s', '250ms'],
  [340, '0.34s', '0.3s', '340ms'],
  [8000, '8s', '8s', '8s'],
  [9949, '9.949s', '9.9s', '9949ms'],
  [9950, '9.95s', '10s', '9950ms'],
  [59_600, '59.6s', '1m', '59600ms'],
  [61_000, '1m 1s', '1m 1s', '61s'],
  [90_500, '1m 30.5s', '1m 31s', '90500ms'],
  [600_000, '10m', '10m', '600s'],
  [3_600_000, '1h', '1h', '3600s'],
  [3_661_000, '1h 1m 1s', '1h 1m', '3661s'],
  [86_405_000, '1d 5s', '1d', '86405s'],
  [273_600_000, '3d 4h', '3d 4h', '273600s'],
]

for (const [ms, exact, elapsed, go] of printed) {
  test(`prints ${ms} ms as ${exact}, about ${elapsed}`, () => {
    assert.equal(printDuration(ms), exact)
    assert.equal(printElapsed(ms), elapsed)
    assert.equal(printGoDuration(ms), go)
  })
}

test('parses every duration that it prints', () => {
  fc.assert(
    fc.property(fc.nat(), (ms) => {
      assert.equal(Math.round(parseDurationMs(printDuration(ms)) ?? Number.NaN), ms)
    }),
  )
})

test('converts to seconds and to whole seconds', () => {
  assert.deepEqual([toSeconds(1500), toWholeSeconds(1500), toWholeSeconds(2000)], [1.5, 2, 2])
})
