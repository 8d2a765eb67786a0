import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDurationMs, parseSizeBytes } from './units.ts'

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
  test(`${JSON.stringify(value)} is ${ms === undefined ? 'no duration' : `${ms} ms`}`, () => {
    assert.equal(parseDurationMs(value), ms)
  })
}

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
  test(`${JSON.stringify(value)} is ${bytes === undefined ? 'no size' : `${bytes} bytes`}`, () => {
    assert.equal(parseSizeBytes(value), bytes)
  })
}
