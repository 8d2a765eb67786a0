import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Autoscale } from '../../../export/index.ts'
import { autoscaling, requireExported } from './autoscale.ts'

const parse = (text: string): Autoscale => autoscaling(text, { option: 'autoscale', nowMs: 0 })

test('how a process is scaled, as it is written', () => {
  assert.deepEqual(parse('web=2-10'), { process: 'web', min: 2, max: 10, queue: undefined })
  assert.deepEqual(parse('worker=0-20@rabbitmq:CELERY_BROKER_URL').queue, {
    broker: 'rabbitmq',
    variable: 'CELERY_BROKER_URL',
    names: [],
  })
  assert.deepEqual(parse('worker=1-3@redis:REDIS:default,mail').queue?.names, ['default', 'mail'])
  const refused: Readonly<Record<string, RegExp>> = {
    web: /takes NAME=MIN-MAX, not "web"/,
    'web=2': /takes NAME=MIN-MAX/,
    'web=1-3@kafka:URL': /takes NAME=MIN-MAX/,
    'web=3-1': /from the smaller to the larger number, not 3-1/,
    'web=0-0': /from the smaller to the larger/,
    'web=0-3': /down to 0 only by the length of a queue/,
  }
  for (const [text, message] of Object.entries(refused)) assert.throws(() => parse(text), message)
  assert.throws(() => requireExported([parse('api=1-3')], ['web']), /names "api", which is not exported/)
})
