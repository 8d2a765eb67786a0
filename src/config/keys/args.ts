import * as v from 'valibot'
import { declareKey } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    args: true
  }
}

/** The JSON Schema of one option. */
const OPTION_VALUE = {
  anyOf: [{ type: ['string', 'number', 'boolean', 'null'] }, { type: 'array', items: { type: ['string', 'number'] } }],
} as const

export const declared = () =>
  declareKey({
    order: 30,
    // The translation to options checks the value, with the messages of django-prodserver.
    schema: v.pipe(v.unknown(), v.metadata({ json: { type: ['object', 'null'], additionalProperties: OPTION_VALUE } })),
    description: 'Options of the server, a dictionary.',
    example: { workers: 4 },
    inner: 'any',
  })
