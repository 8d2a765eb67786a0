/** Messages between the supervisor and its keeper: lists of fields, each with its length before it. */

export type Field = string | number | Uint8Array

const COUNT_BYTES = 4

export function pack(fields: readonly Field[]): Buffer {
  const parts = fields.map((field) => (field instanceof Uint8Array ? field : Buffer.from(String(field))))
  const bodyBytes = parts.reduce((sum, part) => sum + COUNT_BYTES + part.length, 0)
  const message = Buffer.allocUnsafe(COUNT_BYTES + bodyBytes)
  let at = message.writeUInt32LE(bodyBytes)
  for (const part of parts) {
    at = message.writeUInt32LE(part.length, at)
    message.set(part, at)
    at += part.length
  }
  return message
}

/** Gathers what arrives in pieces, and calls back for each whole message. */
export function createUnpacker(onMessage: (fields: readonly string[]) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0)
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= COUNT_BYTES) {
      const end = COUNT_BYTES + pending.readUInt32LE(0)
      if (pending.length < end) break
      const body = pending.subarray(COUNT_BYTES, end)
      pending = pending.subarray(end)
      onMessage(unpack(body))
    }
  }
}

function unpack(body: Buffer): readonly string[] {
  const fields: string[] = []
  for (let at = 0; at < body.length;) {
    const size = body.readUInt32LE(at)
    fields.push(body.toString('utf8', at + COUNT_BYTES, at + COUNT_BYTES + size))
    at += COUNT_BYTES + size
  }
  return fields
}
