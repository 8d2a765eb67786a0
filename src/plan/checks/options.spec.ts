import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunicorn } from '../../backends/gunicorn.ts'
import { uvicorn } from '../../backends/uvicorn.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { OptionAnswer } from '../../inspect/answers.ts'
import type { Project } from '../../project/project.ts'
import { type CheckedProcess, checkOptions, optionQuestion } from './options.ts'

const place = 'PRODUCTION_PROCESSES["web"]'
const checked: CheckedProcess = {
  declaration: { place, placeOf: (...keys: readonly string[]) => [place, ...keys].join(' ') } as unknown as Declaration,
  backend: gunicorn,
  project: { python: { path: '/venv/bin/python', install: 'pip install' } } as Project,
  app: ['mysite.wsgi:application'],
}
const answer: OptionAnswer = { version: '27.0', names: ['workers'], refused: [], deprecated: [], missing: [] }
const translation = (key: string, ...values: readonly string[]): Parameters<typeof checkOptions>[0] => ({
  options: [{ key, name: key, values, tokens: values.map((value) => `--${key}=${value}`) }],
  problems: [],
})

test('the words of a program are not repeated where they may have a secret in them', () => {
  const refused = (key: string): OptionAnswer => ({
    ...answer,
    refused: [{ key, what: 'value', message: "argument --x: invalid int value: 'hunter2'" }],
  })
  const say = (key: string): string | undefined =>
    checkOptions(translation(key, 'hunter2'), refused(key), checked)[0]?.message
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
  assert.deepEqual(checkOptions(translation('workers', '4'), { error }, checked), [
    {
      id: 'W303',
      place: `${place} args`,
      message: 'The options were not checked: gunicorn cannot be asked. OSError: broken',
      details: 'Traceback',
    },
  ])
})

test('gunicorn is asked in any case: a worker class may stand in its configuration', () => {
  assert.deepEqual(optionQuestion(gunicorn, { options: [], problems: [] })?.options, [])
})

test('nothing is asked where no option is given, or no program has a parser', () => {
  assert.equal(optionQuestion(uvicorn, { options: [], problems: [] }), undefined)
  const { parser: _, ...withoutParser } = gunicorn
  assert.equal(optionQuestion(withoutParser, translation('workers', '4')), undefined)
})
