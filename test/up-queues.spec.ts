import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useBroker } from './support/brokers.ts'
import { usePostgres } from './support/postgres.ts'
import { descendantsOf, isRunning } from './support/processes.ts'
import { useQueues } from './support/queues.ts'
import { waitUntil } from './support/running.ts'
import { supervise } from './support/supervised-example.ts'

/** The library that each worker works for, and a queue. */
const LIBRARIES = {
  'django-rq': ['rq', 'default'],
  'django-dramatiq': ['dramatiq', 'default'],
  huey: ['huey', ''],
  procrastinate: ['procrastinate', 'default'],
  channels: ['channels', 'default'],
} as const

const NAMES = Object.keys(LIBRARIES) as readonly (keyof typeof LIBRARIES)[]

/** Those whose main process has children that go on without it. */
const FORKING = ['django-rq', 'huey'] as const

test('workers of every library are killed whole, and their reload loses no job and does none twice', async (t) => {
  const [broker, postgres] = [await useBroker(t, 'Redis'), await usePostgres(t)]
  if (!broker || !postgres) return
  const redis = broker.url()
  const queues = useQueues(t, {
    redis,
    postgres,
    processes: {
      'django-rq': { BACKEND: 'django-rq' },
      'django-dramatiq': { BACKEND: 'django-dramatiq', ARGS: { processes: 1, threads: 2 } },
      huey: { BACKEND: 'huey', ARGS: { workers: 2, 'worker-type': 'process' } },
      procrastinate: { BACKEND: 'procrastinate', ARGS: { concurrency: 2 } },
      channels: { BACKEND: 'channels-worker', ARGS: { channels: 'default' } },
    },
  })
  await queues.manage('migrate', '-v0')
  const site = supervise(t, queues)
  const up = await site.cli('up', '-d')
  assert.equal(up.code, 0, up.stdout + up.stderr)
  const pidOf = async (name: string): Promise<number> => (await site.instance(`${name}.1`)).pid as number
  const send = (names: readonly (keyof typeof LIBRARIES)[], text: (name: string) => string): Promise<void> =>
    queues.send(...names.map((name) => [...LIBRARIES[name], text(name)] as const))

  await send(FORKING, (name) => `hold ${name} killed`)
  for (const name of FORKING) {
    const { pid: child } = await queues.record(`hold ${name} killed started`)
    const main = await pidOf(name)
    assert.notEqual(child, main)
    process.kill(main, 'SIGKILL')
    await waitUntil(() => !isRunning(child) || undefined)
    await waitUntil(async () => {
      const { state, pid } = await site.instance(`${name}.1`)
      return (state === 'running' && pid !== main) || undefined
    })
  }

  await send(NAMES, (name) => `hold ${name}`)
  const families = new Map<string, readonly number[]>()
  for (const name of NAMES) {
    const { pid } = await queues.record(`hold ${name} started`)
    const main = await pidOf(name)
    families.set(name, [main, ...descendantsOf(main)])
    assert.ok(families.get(name)?.includes(pid))
  }
  const sent = NAMES.map((name) => `hold ${name}`)
  for (const name of NAMES) {
    const family = families.get(name) ?? []
    const reload = site.cli('reload', name)
    const next = await waitUntil(async () => {
      const now = await site.instance(`${name}.1`)
      return now.state === 'running' && now.pid !== family[0] ? now : undefined
    })
    assert.equal(next.beside?.pid, family[0], `The old ${name} still has its job.`)
    // A signal reaches the old worker late: for a second, Dramatiq does dozens of jobs more. It then keeps the jobs that it
    // has fetched until it ends. So jobs are sent until the new worker does one, however many the old one gets.
    const isTaken = (): boolean =>
      queues.recorded().some(({ text, pid }) => text.startsWith(`quick ${name} `) && !family.includes(pid))
    let count = 0
    const sendOne = async (): Promise<true | undefined> => {
      const text = `quick ${name} ${count++}`
      await send([name], () => text)
      sent.push(text)
      await waitUntil(() => queues.recorded().some((done) => done.text === text) || undefined, 3000).catch(() => {})
      return isTaken() || undefined
    }
    await waitUntil(sendOne, 30_000, () => `The new ${name} does none of ${count} jobs.`)
    queues.release(`hold ${name}`)
    assert.ok(family.includes((await queues.record(`hold ${name}`)).pid), 'The old one finishes what it has begun.')
    const { code, stderr } = await reload
    assert.equal(code, 0, stderr)
  }
  await Promise.all(sent.map((text) => queues.record(text)))
  assert.equal((await site.cli('down')).code, 0)
  const done = queues.recorded().flatMap(({ text }) => (/started$|killed$/.test(text) ? [] : [text]))
  assert.deepEqual(done.toSorted(), sent.toSorted(), 'Nothing was lost, and nothing done twice.')
  assert.deepEqual(site.alive(), [])
})
