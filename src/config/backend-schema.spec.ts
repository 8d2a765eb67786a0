import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Backend } from '../backends/backend.ts'
import { BACKENDS } from '../backends/index.ts'
import { BACKEND_MEMBERS, backendFaults } from './backend-schema.ts'

const smallest = { name: 'x', title: 'X', summary: 'An example.', kind: 'web', command: () => {} }

test('every member of a backend is checked, and no other is', () => {
  const checked: Readonly<Record<keyof Backend, true>> = Object.fromEntries(
    BACKEND_MEMBERS.map((name): [keyof Backend, true] => [name, true]),
  ) as Record<(typeof BACKEND_MEMBERS)[number], true>
  assert.equal(Object.keys(checked).length, BACKEND_MEMBERS.length)
})

for (const backend of BACKENDS) {
  test(`${backend.name} is a backend`, () => assert.deepEqual(backendFaults(backend), []))
}

const faults: readonly (readonly [value: unknown, ...faults: string[]])[] = [
  [smallest],
  [undefined, 'it is undefined, not an object'],
  [['x'], 'it is a list, not an object'],
  ['x', 'it is "x", not an object'],
  [{}, 'name is missing', 'title is missing', 'summary is missing', 'kind is missing', 'command is missing'],
  [
    { ...smallest, kind: 'server', command: 'x', name: 5 },
    'name must be a string, not 5',
    'kind must be one of "web", "worker", "scheduler", "task", not "server"',
    'command must be a function, not "x"',
  ],
  [{ ...smallest, lisen: () => [] }, 'lisen is not known, listen is'],
  [{ ...smallest, colour: 'red' }, 'colour is not known'],
  [{ ...smallest, listen: ['a:1'] }, 'listen must be a function, not a list'],
  [
    { ...smallest, app: 'module' },
    'app must be one of "wsgi", "asgi", "celery", "script", "package-script", "worker-module", "words", "none", not "module"',
  ],
  [{ ...smallest, python: { package: 'x' } }, 'python.module is missing'],
  [{ ...smallest, options: { switches: 'v' } }, 'options.switches must be a list of strings, not "v"'],
  [{ ...smallest, options: { flags: [] } }, 'options.flags is not known'],
  [{ ...smallest, options: { aliases: { a: 1 } } }, 'options.aliases.a must be a string, not 1'],
  [{ ...smallest, ready: { http: '/', delay: '1s' } }, 'ready.delay must be a number of milliseconds, not "1s"'],
  [{ ...smallest, ready: 'http' }, 'ready must be an object with some of http, log, delay, not "http"'],
  [
    { ...smallest, stop: { signal: 'HUP', timeoutMs: -1 } },
    'stop.signal must be one of "TERM", "INT", "QUIT", not "HUP"',
    'stop.timeoutMs must be at least 0, not -1',
  ],
  [{ ...smallest, reload: true }, 'reload must be one of "rolling", "signal", "restart", not true'],
  [
    { ...smallest, addons: { pool: { gevent: 'gevent' } } },
    'addons.pool.gevent must be an object with module and package, not "gevent"',
  ],
  [{ ...smallest, notTwice: [null] }, 'notTwice.0 must be a string, not null'],
  [{ ...smallest, listen: { a: 1 } }, 'listen must be a function, not an object'],
]

for (const [value, ...expected] of faults) {
  test(`what is wrong with it: ${expected.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(backendFaults(value), expected)
  })
}
