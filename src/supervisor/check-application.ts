import { constants } from 'node:os'
import { nextRun } from '../plan/schedule.ts'
import type { Application, ProcessSpec } from './spec.ts'

/** Whether a value is as it has to be; where it is not, which part of it, with a name to begin with. */
type Check = (value: unknown, name: string) => string | null

/**
 * Looks whether what came through the socket is a declaration: what is wrong with it, or null. Our own client has
 * checked all of it; the supervisor must not end, or do something odd, because another one had not.
 */
export const findMistake = (value: unknown): string | null => APPLICATION(value, 'application')

const when =
  (holds: (value: unknown) => boolean): Check =>
  (value, name) =>
    holds(value) ? null : name

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')
const text = when(isText)
const matching = (pattern: RegExp): Check => when((value) => isText(value) && pattern.test(value))
const flag = when((value) => typeof value === 'boolean')
const oneOf = (...values: readonly string[]): Check => when((value) => values.includes(value as string))
const integer = (from: number, to: number): Check =>
  when((value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to)

const orNull =
  (check: Check): Check =>
  (value, name) =>
    value === null ? null : check(value, name)

const optional =
  (check: Check): Check =>
  (value, name) =>
    value === undefined ? null : check(value, name)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const all =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, name) =>
    isRecord(value)
      ? Object.entries(checks).reduce<string | null>(
          (found, [key, check]) => found ?? check(value[key], `${name}.${key}`),
          null,
        )
      : name

const list =
  (check: Check): Check =>
  (value, name) =>
    Array.isArray(value)
      ? value.reduce<string | null>((found, item, index) => found ?? check(item, `${name}[${index}]`), null)
      : name

const dictionary =
  (key: RegExp, check: Check): Check =>
  (value, name) =>
    isRecord(value)
      ? Object.entries(value).reduce<string | null>(
          (found, [word, item]) => found ?? (key.test(word) ? check(item, `${name}.${word}`) : name),
          null,
        )
      : name

/** It becomes a part of file names. */
const NAME = /^[^/\0.#][^/\0#]{0,99}$/
/** As long as a timer of Node's can be. */
const time = when((value) => typeof value === 'number' && value >= 0 && value < 2 ** 31)
const size = integer(0, Number.MAX_SAFE_INTEGER)
const argv: Check = (value, name) => list(text)(value, name) ?? (Array.isArray(value) && value.length > 0 ? null : name)
const env = dictionary(/^[^=\0]+$/, text)

const probe = all({
  http: optional(text),
  tcp: optional(text),
  exec: optional(argv),
  log: optional(text),
  delayMs: optional(time),
  notify: optional(flag),
  intervalMs: time,
  timeoutMs: time,
  failures: integer(1, 1_000_000),
  startMs: time,
})

const SPEC: Readonly<Record<keyof ProcessSpec, Check>> = {
  name: matching(NAME),
  kind: text,
  backend: text,
  title: text,
  argv,
  env,
  cwd: matching(/^\//),
  listen: list(matching(/^unix:.|:\d+$/)),
  inherited: orNull(all({ argv, env, listening: flag })),
  alone: orNull(text),
  instances: integer(0, 1000),
  run: oneOf('always', 'once', 'release'),
  dependsOn: dictionary(NAME, oneOf('started', 'ready', 'completed')),
  ready: probe,
  alive: orNull(probe),
  restart: all({
    policy: oneOf('always', 'on-failure', 'never'),
    delayMs: time,
    maxDelayMs: time,
    limit: integer(0, 1_000_000_000),
    windowMs: size,
  }),
  stop: all({ signal: when((value) => isText(value) && `SIG${value}` in constants.signals), timeoutMs: time }),
  reload: oneOf('rolling', 'signal', 'restart'),
  memoryLimitBytes: orNull(size),
  schedule: orNull((value, name) => all({ cron: text, tz: text })(value, name) ?? when(isSchedule)(value, name)),
  user: orNull(text),
  group: orNull(text),
  umask: orNull(matching(/^[0-7]{1,4}$/)),
  nice: orNull(integer(-20, 19)),
  limits: dictionary(/^[a-z]+$/i, text),
  log: all({ maxSizeBytes: integer(1, Number.MAX_SAFE_INTEGER), keep: integer(0, 1_000_000_000), compress: flag }),
  enabled: flag,
  hash: text,
}

function isSchedule(value: unknown): boolean {
  try {
    nextRun(value as NonNullable<ProcessSpec['schedule']>, Date.now())
    return true
  } catch {
    return false
  }
}

const namesDiffer: Check = (value, name) => {
  const names = (value as Application['specs']).map((spec) => spec.name)
  return new Set(names).size === names.length ? null : name
}

const APPLICATION = all({
  project: all({
    root: matching(/^\//),
    settings: orNull(all({ module: text, reason: text })),
    python: orNull(all({ path: text, version: text, reason: text })),
    config: orNull(all({ path: text, reason: text })),
  } satisfies Record<keyof Application['project'], Check>),
  specs: (value, name) => list(all(SPEC))(value, name) ?? namesDiffer(value, name),
  only: orNull(list(text)),
  release: text,
  reload: flag,
  set: optional(list(text)),
} satisfies Record<keyof Application, Check>)
