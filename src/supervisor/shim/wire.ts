/** Encodes and decodes messages: a length, then a bencoded dictionary. See protocol.md. */

/** A value that a message can carry. Fields that are null or undefined are left out. */
export type Value =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value | null | undefined }

/** A decoded value. Byte strings are read as UTF-8. */
type Decoded = string | number | readonly Decoded[] | { readonly [name: string]: Decoded }

/** Bytes that are no message. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

export type Fields = Readonly<Record<string, Decoded>>

const LENGTH_BYTES = 4
/** Longest message, in bytes. The system limits a program's arguments and environment to less. */
const MAX_BYTES = 1 << 24
const COLON = ':'.charCodeAt(0)
const END = 'e'.charCodeAt(0)

/** Encodes a message. */
export function pack(message: { readonly [name: string]: Value | null | undefined }): Buffer {
  const parts: Buffer[] = [Buffer.alloc(LENGTH_BYTES)]
  encode(message, parts)
  const packed = Buffer.concat(parts)
  packed.writeUInt32LE(packed.length - LENGTH_BYTES)
  return packed
}

function encode(value: Value, parts: Buffer[]): void {
  if (value instanceof Uint8Array) {
    parts.push(Buffer.from(`${value.length}:`), Buffer.from(value))
  } else if (typeof value === 'string') {
    encode(Buffer.from(value), parts)
  } else if (typeof value === 'object') {
    encodeEntries(value, parts)
  } else {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new TypeError(`${number} is no integer`)
    parts.push(Buffer.from(`i${number}e`))
  }
}

function encodeEntries(value: Exclude<Value, string | number | boolean | Uint8Array>, parts: Buffer[]): void {
  if (Array.isArray(value)) {
    parts.push(Buffer.from('l'))
    for (const item of value as readonly Value[]) encode(item, parts)
  } else {
    parts.push(Buffer.from('d'))
    for (const [name, item] of Object.entries(value)) {
      if (item === null || item === undefined) continue
      encode(name, parts)
      encode(item, parts)
    }
  }
  parts.push(Buffer.from('e'))
}

/**
 * Gathers what arrives in pieces, and calls back for each whole message.
 *
 * @throws {WireError} from the returned function, if the bytes are no messages.
 */
export function createUnpacker(onMessage: (fields: Fields) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0)
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= LENGTH_BYTES) {
      const size = pending.readUInt32LE(0)
      if (size > MAX_BYTES) throw new WireError(`a message of ${size} bytes is too long`)
      const end = LENGTH_BYTES + size
      if (pending.length < end) break
      const body = pending.subarray(LENGTH_BYTES, end)
      pending = pending.subarray(end)
      onMessage(unpack(body))
    }
  }
}

/** Decodes a message without its length. */
function unpack(body: Buffer): Fields {
  const reader = { body, at: 0 }
  const value = decode(reader)
  if (reader.at !== body.length || typeof value !== 'object' || Array.isArray(value))
    throw new WireError(`not a message: ${body.toString('latin1', 0, 40)}`)
  return value as Fields
}

/** A message, and the position up to which it has been read. */
interface Reader {
  readonly body: Buffer
  at: number
}

function decode(reader: Reader): Decoded {
  const kind = String.fromCharCode(reader.body[reader.at] ?? 0)
  if (kind === 'i') {
    reader.at++
    return readNumber(reader, END)
  }
  if (kind === 'l') return decodeList(reader)
  if (kind === 'd') return decodeDictionary(reader)
  return decodeText(reader)
}

function decodeList(reader: Reader): readonly Decoded[] {
  const items: Decoded[] = []
  for (reader.at++; reader.body[reader.at] !== END;) items.push(decode(reader))
  reader.at++
  return items
}

function decodeDictionary(reader: Reader): Fields {
  const entries: (readonly [string, Decoded])[] = []
  for (reader.at++; reader.body[reader.at] !== END;) entries.push([decodeText(reader), decode(reader)])
  reader.at++
  return Object.fromEntries(entries)
}

function decodeText(reader: Reader): string {
  const size = readNumber(reader, COLON)
  const start = reader.at
  reader.at += size
  if (size < 0 || reader.at > reader.body.length) throw new WireError(`a message is cut off at byte ${start}`)
  return reader.body.toString('utf8', start, reader.at)
}

/** Reads digits up to a byte that ends them. */
function readNumber(reader: Reader, end: number): number {
  const stop = reader.body.indexOf(end, reader.at)
  const text = stop < 0 ? '' : reader.body.toString('latin1', reader.at, stop)
  if (!/^-?\d{1,16}$/.test(text)) throw new WireError(`no value at byte ${reader.at} of a message`)
  reader.at = stop + 1
  return Number(text)
}
