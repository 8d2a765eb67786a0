import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { ROUTES } from '../src/control/routes.ts'
import { ROOT } from './support/environment.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

const DOCUMENT = JSON.parse(readFileSync(join(ROOT, 'docs/reference/control-api.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, object>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const ajv = new Ajv2020({ strict: false, formats: { 'date-time': fullFormats['date-time'] } })
ajv.addSchema(DOCUMENT, 'api')

/** Checks a value against a type of the OpenAPI document. */
function assertType(type: string, value: unknown): void {
  assert.ok(
    ajv.validate({ $ref: `api#/components/schemas/${type}` }, value),
    `${type}: ${ajv.errorsText()}\n${JSON.stringify(value)}`,
  )
}

const lines = (output: string): readonly unknown[] =>
  output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown)

interface Reply {
  readonly status: number | undefined
  readonly body: string
}

/** Asks the supervisor. A stream of events is left after its first lines. */
async function ask(site: Supervised, method: string, path: string, body?: object): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const sent = request({ socketPath: join(site.stateDir, 'control.sock'), method, path }, (response) => {
    const { statusCode: status, headers } = response
    if (headers['content-type'] !== 'text/event-stream')
      return void text(response).then((whole) => resolve({ status, body: whole }), reject)
    response.once('data', (first: Buffer) => {
      resolve({ status, body: first.toString() })
      sent.destroy()
    })
  })
  sent.on('error', reject)
  if (body) sent.setHeader('content-type', 'application/json')
  sent.end(body && JSON.stringify(body))
  return promise
}

const PROCESSES = {
  web: { BACKEND: 'command', APP: "sh -c 'echo up; exec sleep 600'", READY: { log: 'up' }, INSTANCES: 2 },
  job: { BACKEND: 'command', APP: 'sh -c "exit 3"', RUN: 'once', RESTART: 'never' },
  nightly: { BACKEND: 'command', APP: 'true', SCHEDULE: '0 3 1 1 *' },
}

test('the OpenAPI document has every route, and its references lead somewhere', () => {
  assert.deepEqual(
    Object.keys(DOCUMENT.paths),
    Object.values(ROUTES).map(({ path }) => path),
  )
  for (const name of Object.keys(DOCUMENT.components.schemas)) ajv.compile({ $ref: `api#/components/schemas/${name}` })
})

test('a running supervisor answers as the OpenAPI document says', async (t) => {
  const site = createSupervised(t, { processes: PROCESSES })
  await site.up(1)
  const get = async (path: string): Promise<unknown> => JSON.parse((await ask(site, 'GET', path)).body)
  assertType('SupervisorStatus', await get('/v1'))
  assertType('Snapshot', await get('/v1/processes'))
  assertType('Snapshot', await get('/v1/processes?usage=1'))
  for (const name of ['web.1', 'web.2', 'job', 'nightly']) assertType('Why', await get(`/v1/processes/${name}/why`))
  assert.deepEqual(await get('/v1/set'), [])

  const { body: stream } = await ask(site, 'GET', '/v1/events')
  const [, kind, data = ''] = /^event: (\w+)\n(?:id: .*\n)?data: (.*)$/m.exec(stream) ?? []
  assert.equal(kind, 'snapshot')
  assertType('Snapshot', JSON.parse(data))

  const action = { verb: 'restart', targets: ['web.1'] }
  assertType('ActionRequest', action)
  const answer = lines((await ask(site, 'POST', '/v1/actions', action)).body)
  assert.ok(answer.length > 2)
  for (const line of answer) assertType('ActionLine', line)

  for (const [method, path, body, status] of [
    ['GET', '/v1/nothing', undefined, 404],
    ['POST', '/v1', undefined, 405],
    ['POST', '/v1/actions', { verb: 'dance' }, 400],
  ] as const) {
    const refused = await ask(site, method, path, body)
    assert.equal(refused.status, status, path)
    assertType('ApiError', JSON.parse(refused.body))
  }
})

test('the command line prints JSON as the OpenAPI document says', async (t) => {
  const site = createSupervised(t, { processes: PROCESSES })
  for (const line of lines((await site.cli('ps', '--json')).stdout)) assertType('DeclaredRow', line)
  await site.up(1)
  for (const [type, ...args] of [
    ['InstanceRow', 'ps', '--json'],
    ['InstanceRow', 'top', '--once', '--json'],
    ['ProcessEvent', 'events', '--json'],
    ['LogRow', 'logs', 'web', '--json'],
    ['Why', 'why', 'job', '--json'],
    ['ActionLine', 'restart', 'web.2', '--json'],
  ] as const) {
    const { stdout, stderr } = await site.cli(...args)
    const printed = lines(stdout)
    assert.ok(printed.length > 0, `${args.join(' ')}: ${stderr}`)
    for (const line of printed) assertType(type, line)
  }
  const rows = lines((await site.cli('ps', '--json')).stdout) as readonly { instance: string; run: string }[]
  assert.deepEqual(
    rows.map(({ instance, run }) => [instance, run]),
    [
      ['web.1', 'always'],
      ['web.2', 'always'],
      ['job.1', 'once'],
      ['nightly.1', 'always'],
    ],
  )
})
