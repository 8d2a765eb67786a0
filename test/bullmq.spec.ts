import assert from 'node:assert/strict'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { useBroker } from './support/brokers.ts'
import { NODE_PACKAGES } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { startProdserver, waitUntil } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

interface Queue {
  readonly add: (name: string, data: Json) => Promise<unknown>
  readonly close: () => Promise<void>
}

const { Queue: BullQueue } = createRequire(join(NODE_PACKAGES, 'x.js'))('bullmq') as {
  readonly Queue: new (name: string, options: object) => Queue
}

const connectionOf = (url: string): { host: string; port: number; db: number } => {
  const { hostname, port, pathname } = new URL(url)
  return { host: hostname, port: Number(port), db: Number(pathname.slice(1)) }
}

/** Two workers that write down what they do. A job goes on until there is a file of its name. */
const WORKERS = `import { appendFileSync, existsSync } from 'node:fs'
import { Worker, type Job } from 'bullmq'

const connection = JSON.parse(process.env.CONNECTION ?? '')
const record = (word: string): void => appendFileSync('record', \`\${word} \${process.pid}\\n\`)

async function work({ name, data }: Job): Promise<void> {
  record(\`began \${name} \${data}\`)
  while (!existsSync(name)) await new Promise((settle) => setTimeout(settle, 20))
  record(\`ended \${name} \${data}\`)
}

export const mail: Worker = new Worker('mail', work, { connection })
export default [new Worker('images', work, { connection, autorun: false })]
export const close = (): void => record('closed')
console.log('argv', process.argv.slice(1).join(' '))
`

interface Site extends Supervised {
  readonly queue: Queue
  /** Waits for a line of the record, and returns the pid in it. */
  readonly recorded: (words: string) => Promise<number>
  readonly finish: (name: string) => void
}

async function createSite(t: TestContext): Promise<Site | undefined> {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return undefined
  const connection = connectionOf(broker.url())
  const queue = new BullQueue('mail', { connection })
  t.after(() => queue.close())
  const site = createSupervised(t, {
    processes: {
      worker: {
        BACKEND: 'bullmq',
        APP: 'workers.mts',
        ARGS: { colour: 'red' },
        ENV: { CONNECTION: JSON.stringify(connection) },
      },
    },
    files: { 'workers.mts': WORKERS },
  })
  symlinkSync(NODE_PACKAGES, join(site.root, 'node_modules'))
  const path = join(site.root, 'record')
  const recorded = (words: string): Promise<number> =>
    waitUntil(
      () => {
        const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
        const line = lines.find((each) => each.startsWith(`${words} `))
        return line === undefined ? undefined : Number(line.split(' ').at(-1))
      },
      30_000,
      () => `no ${words} in ${existsSync(path) ? readFileSync(path, 'utf8') : 'nothing'}`,
    )
  const finish = (name: string): void => writeFileSync(join(site.root, name), '')
  return { ...site, queue, recorded, finish }
}

test('a job is executed, and a reload and a stop let the one that is running be finished', async (t) => {
  const site = await createSite(t)
  if (!site) return
  await site.up()
  const { pid: first } = await site.instance('worker.1')
  const { stdout } = await site.cli('logs', 'worker', '--raw')
  assert.match(stdout, /^argv \S+\/workers\.mts --colour=red$/m)
  assert.match(stdout, /^prodserver: 2 workers ready: mail, images$/m)

  await site.queue.add('long', 1)
  assert.equal(await site.recorded('began long 1'), first)
  const reload = site.cli('reload', 'worker')
  const { pid: second } = await site.waitFor('worker.1', ({ pid, state }) => pid !== first && state === 'running')
  // The old one has a job, and takes no other.
  await site.queue.add('short', 2)
  assert.equal(await site.recorded('began short 2'), second)
  assert.ok(site.alive().includes(first as number))
  site.finish('long')
  assert.equal(await site.recorded('ended long 1'), first)
  assert.equal((await reload).code, 0)
  assert.ok(!site.alive().includes(first as number))

  const down = site.cli('down')
  await site.waitFor('worker.1', ({ state }) => state === 'stopping')
  assert.ok(site.alive().includes(second as number))
  site.finish('short')
  assert.equal(await site.recorded('ended short 2'), second)
  assert.equal(await site.recorded('closed'), first)
  assert.equal((await down).code, 0)
  assert.deepEqual(site.alive(), [])
  assert.deepEqual(
    site.events().flatMap((event) => ('exit' in event ? [event.exit] : [])),
    [
      { code: 0, signal: null },
      { code: 0, signal: null },
    ],
  )
})

const wrong: readonly (readonly [what: string, code: string, says: RegExp])[] = [
  [
    'exports no worker',
    'export const queue = {}',
    /exports no BullMQ worker\. Write: export const worker = new Worker/,
  ],
  ['raises', 'throw new Error("no such region")', /Error: no such region\n +at .*workers\.mjs:1:7/],
]

for (const [what, code, says] of wrong) {
  test(`a module of workers that ${what} ends with exit code 1 and says why`, async (t) => {
    const cwd = createProject(t, {
      settings: 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "bullmq", "APP": "workers.mjs"}}',
      files: { 'workers.mjs': code },
    })
    symlinkSync(NODE_PACKAGES, join(cwd, 'node_modules'))
    const running = startProdserver(t, ['run', 'worker'], { cwd })
    assert.deepEqual(await running.ended(), { code: 1, signal: null }, running.output())
    assert.match(running.stderr(), says)
  })
}
