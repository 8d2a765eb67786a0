import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeclaration, createFacts, problemsOf } from '../../../test/support/facts.ts'
import { gunicorn } from '../../backends/gunicorn.ts'
import { uvicorn } from '../../backends/uvicorn.ts'
import type { OptionAnswer, PythonAnswer, PythonFailure } from '../../inspect/answers.ts'
import type { Problem } from '../../core/errors.ts'
import type { ResolvedProcess } from '../resolve/resolved-process.ts'
import { optionQuestion } from '../resolve/questions.ts'
import { takenOptions } from './taken-options.ts'

const answer: OptionAnswer = { version: '27.0', names: ['workers'], refused: [], deprecated: [], missing: [] }
const NO_OPTIONS: ResolvedProcess['translation'] = { options: [], problems: [] }
const translation = (key: string, ...values: readonly string[]): ResolvedProcess['translation'] => ({
  options: [{ key, name: key, values, tokens: values.map((value) => `--${key}=${value}`) }],
  problems: [],
})

/** The problems of a process with one option, whose program gave that answer. */
function check(key: string, value: string, options: OptionAnswer | PythonFailure): readonly Problem[] {
  const declaration = createDeclaration({ name: 'web' })
  const application = { value: { words: ['mysite.wsgi:application'], from: 'WSGI_APPLICATION' } }
  const resolved: ResolvedProcess = {
    declaration,
    backend: gunicorn,
    found: { backend: gunicorn, reference: 'gunicorn' },
    cwd: '/srv/shop',
    application,
    translation: translation(key, value),
    notes: [],
  }
  const python: PythonAnswer = { classes: {}, apps: {}, options: { web: options } }
  return problemsOf(takenOptions, createFacts([{ declaration, resolved, problems: [] }], { python }))
}

test('the words of a program are not repeated where they may have a secret in them', () => {
  const refused = (key: string): OptionAnswer => ({
    ...answer,
    refused: [{ key, what: 'value', message: "argument --x: invalid int value: 'hunter2'" }],
  })
  const say = (key: string): string | undefined => check(key, 'hunter2', refused(key))[0]?.message
  assert.equal(say('workers'), `gunicorn 27.0 does not take "workers" like this: invalid int value: 'hunter2'.`)
  assert.equal(say('password'), 'gunicorn 27.0 does not take "password" like this: the value is not one that it takes.')
})

test('a program that cannot be asked is a warning, and not a guess', () => {
  const error = {
    type: 'OSError',
    message: 'broken\nfor good',
    module: null,
    import: false,
    near: null,
    text: 'Traceback\n',
  }
  assert.deepEqual(check('workers', '4', { error }), [
    {
      id: 'W303',
      place: 'web.args',
      process: 'web',
      message: 'The options were not checked: gunicorn cannot be asked. OSError: broken',
      details: 'Traceback',
    },
  ])
})

const ANSWER = { answer: { modules: { django: true, gunicorn: true, uvicorn: true } } } as unknown as Parameters<
  typeof optionQuestion
>[1]

test('asks gunicorn without any option: its configuration may name a worker class', () => {
  assert.deepEqual(optionQuestion({ backend: gunicorn, translation: NO_OPTIONS }, ANSWER)?.options, [])
})

test('asks nothing without an option, without a parser, or without the package', () => {
  assert.equal(optionQuestion({ backend: uvicorn, translation: NO_OPTIONS }, ANSWER), undefined)
  const { parser: _, ...withoutParser } = gunicorn
  const workers = translation('workers', '4')
  assert.equal(optionQuestion({ backend: withoutParser, translation: workers }, ANSWER), undefined)
  const missing = { answer: { ...ANSWER.answer, modules: { django: true, gunicorn: false } } }
  assert.equal(optionQuestion({ backend: gunicorn, translation: workers }, missing), undefined)
})
