import * as v from 'valibot'
import { text } from '../../core/shape.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { declareKey } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    backend: true
  }
}

export const declared = () =>
  declareKey({
    order: 10,
    schema: v.pipe(v.string('a string'), v.nonEmpty('the import path or the short name of a backend')),
    description:
      'What runs: the import path of a backend, its short name, a Python class of your own, or a TypeScript or JavaScript module. The only key that must be there.',
    example: 'gunicorn',
  })

/** The short name of the backend, or the Python class or the module that declares it. */
export const planned: PlannedKey<OutputOf<typeof declared>, string> = {
  label: 'backend',
  show: (backend) => backend,
  plan: (_, { reference }) => reference,
  shape: text,
}
