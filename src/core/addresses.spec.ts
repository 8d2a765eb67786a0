import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  type Address,
  clientAddress,
  hasEphemeralPort,
  isAnyHost,
  isLoopbackHost,
  isUnixAddress,
  joinHostPort,
  parseAddress,
  portOf,
  printAddress,
  probedAddress,
  withoutBrackets,
} from './addresses.ts'

const addresses: readonly (readonly [text: string, address: Address, printed: string])[] = [
  ['127.0.0.1:8000', { host: '127.0.0.1', port: 8000 }, '127.0.0.1:8000'],
  ['example.com:80', { host: 'example.com', port: 80 }, 'example.com:80'],
  [':8000', { host: '', port: 8000 }, ':8000'],
  ['[::1]:8000', { host: '::1', port: 8000 }, '[::1]:8000'],
  ['[fe80::1%eth0]:8000', { host: 'fe80::1%eth0', port: 8000 }, '[fe80::1%eth0]:8000'],
  ['::1:8000', { host: '::1', port: 8000 }, '[::1]:8000'],
  ['example.com:http', { host: 'example.com', port: 0 }, 'example.com:0'],
  ['example.com', { host: 'example.com', port: 0 }, 'example.com:0'],
  ['', { host: '', port: 0 }, ':0'],
  ['unix:/run/web.sock', { path: '/run/web.sock' }, 'unix:/run/web.sock'],
  ['unix:///run/web.sock', { path: '/run/web.sock' }, 'unix:/run/web.sock'],
  ['unix:run/web:1.sock', { path: 'run/web:1.sock' }, 'unix:run/web:1.sock'],
]

for (const [text, address, printed] of addresses) {
  test(`parses and prints the address ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseAddress(text), address)
    assert.equal(printAddress(address), printed)
  })
}

test('parses every address that it prints', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant(''))
  const tcp = fc.record({ host, port: fc.integer({ min: 0, max: 65_535 }) }, { noNullPrototype: true })
  const unix = fc.record({ path: fc.stringMatching(/^\/?\w[^\0]*$/) }, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.oneof(tcp, unix), (address: Address) => {
      assert.deepEqual(parseAddress(printAddress(address)), address)
    }),
  )
})

test('joins a host and a port, with brackets around an IPv6 host', () => {
  assert.equal(joinHostPort('::1', '80'), '[::1]:80')
  assert.equal(joinHostPort('[::1]', 80), '[::1]:80')
  assert.equal(joinHostPort('a', '80'), 'a:80')
  assert.equal(withoutBrackets('[::1]'), '::1')
})

test('returns port 0 for a Unix socket and for an ephemeral port', () => {
  assert.deepEqual([portOf('a:80'), portOf('a:0'), portOf('unix:/run/web:80')], [80, 0, 0])
  assert.deepEqual(['a:80', '[::]:0', 'unix:/run/web:0'].map(hasEphemeralPort), [false, true, false])
  assert.deepEqual(['a:80', 'unix:web'].map(isUnixAddress), [false, true])
})

test('recognizes hosts that mean all interfaces or the loopback interface', () => {
  assert.deepEqual(['', '*', '0.0.0.0', '::', '10.0.0.1', 'localhost'].map(isAnyHost), [
    true,
    true,
    true,
    true,
    false,
    false,
  ])
  assert.deepEqual(['localhost', '127.0.0.1', '127.1.2.3', '::1', '0.0.0.0', 'a.127.0.0.1'].map(isLoopbackHost), [
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})

test('connects to the loopback interface when a socket is on all interfaces', () => {
  assert.deepEqual(clientAddress('0.0.0.0:80'), { host: '127.0.0.1', port: 80 })
  assert.deepEqual(clientAddress(':80'), { host: '127.0.0.1', port: 80 })
  assert.deepEqual(clientAddress('*:80'), { host: '127.0.0.1', port: 80 })
  assert.deepEqual(clientAddress('[::]:80'), { host: '::1', port: 80 })
  assert.deepEqual(clientAddress('[fe80::1]:80'), { host: 'fe80::1', port: 80 })
  assert.deepEqual(clientAddress('unix:/run/web.sock'), { path: '/run/web.sock' })
})

test('a TCP probe of a bare port takes its host from the first TCP address', () => {
  assert.equal(probedAddress('9000', ['unix:/run/web.sock', '[::1]:8000', '10.0.0.1:80']), '[::1]:9000')
  assert.equal(probedAddress('9000', [':8000']), '127.0.0.1:9000')
  assert.equal(probedAddress('9000', ['unix:/run/web.sock']), '127.0.0.1:9000')
  assert.equal(probedAddress('db:5432', ['10.0.0.1:80']), 'db:5432')
})
