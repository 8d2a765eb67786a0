import * as v from 'valibot'
import { declareKey, dictionary, text } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    env: true
  }
}

const variable = () => v.nullable(v.union([v.string(), v.number(), v.boolean()], 'a string, a number or None'))

export const declared = () =>
  declareKey({
    order: 40,
    schema: dictionary(v.record(text, variable()), 'a dictionary'),
    description: 'Extra environment. `None` removes a variable.',
    example: { COLOUR: 'blue' },
    inner: 'any',
  })
