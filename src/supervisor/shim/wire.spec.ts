import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createUnpacker, type Field, pack } from './wire.ts'

/** What is unpacked from bytes that come in pieces. */
function unpack(pieces: readonly Buffer[]): readonly (readonly string[])[] {
  const messages: (readonly string[])[] = []
  const take = createUnpacker((fields) => void messages.push(fields))
  for (const piece of pieces) take(piece)
  return messages
}

/** Cuts at any places; several cuts at one place make empty pieces. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const text = fc.string({ unit: 'grapheme' })
const field: fc.Arbitrary<Field> = fc.oneof(text, fc.integer(), fc.stringMatching(/^[\0\n=]*$/))
const message = fc.array(field, { maxLength: 8 })

test('whatever is packed is unpacked, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, places) => {
      const bytes = Buffer.concat(messages.map(pack))
      assert.deepEqual(
        unpack(cut(bytes, places)),
        messages.map((fields) => fields.map(String)),
      )
    }),
  )
})

test('it may come byte by byte', () => {
  const bytes = pack(['spawned', 'web.1#3', 42, '', 'é\n'])
  const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
  assert.deepEqual(unpack(pieces), [['spawned', 'web.1#3', '42', '', 'é\n']])
})

test('lengths are four bytes, little endian, of the message and of each field', () => {
  assert.equal(pack(['ab', 7]).toString('hex'), '0b0000000200000061620100000037')
  assert.equal(pack([]).toString('hex'), '00000000')
})

test('bytes that are no text go out as they are', () => {
  assert.equal(pack([new Uint8Array([0xff, 0x00])]).toString('hex'), '0600000002000000ff00')
})

test('nothing is told before a message is whole', () => {
  const bytes = pack(['exited', 'web.1#1', 0])
  assert.deepEqual(unpack([bytes.subarray(0, 3)]), [])
  assert.deepEqual(unpack([bytes.subarray(0, -1)]), [])
})
