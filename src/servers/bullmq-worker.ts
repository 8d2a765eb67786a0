/**
 * Runs the BullMQ workers that a module exports, and closes them when it is asked to stop: a job that is running is
 * finished, and no other is taken. By themselves they would end in the middle of it.
 *
 *     node bullmq-worker.cjs FILE ARGS...
 *
 * What else of BullMQ is exported (queues, listeners to events) is closed after the workers, and then a function `close`
 * of the module is called, for connections of its own.
 */
import { pathToFileURL } from 'node:url'

interface Closable {
  readonly name?: string
  readonly close: () => Promise<unknown>
}

interface Worker extends Closable {
  readonly opts?: { readonly autorun?: boolean }
  readonly on: (event: 'error', listener: (error: Error) => void) => void
  readonly waitUntilReady: () => Promise<unknown>
  readonly isRunning: () => boolean
  readonly run: () => Promise<unknown>
}

/** npm and other runners of scripts pass on what a terminal has sent to all already: that is no second signal. */
const ECHO_MS = 500

const [node = '', , file = '', ...args] = process.argv
// As the module would see it without us.
process.argv = [node, file, ...args]

const asked = stopAsked()
main().catch((error: unknown) => {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exit(1)
})

async function main(): Promise<void> {
  const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const all = await exportsOf(loaded)
  const workers = all.filter(isWorker)
  if (workers.length === 0) {
    say(`prodserver: ${file} exports no BullMQ worker. Write: export const worker = new Worker("queue", …)`)
    process.exit(1)
  }
  for (const worker of workers) {
    worker.on('error', tellOnce(worker))
    if (worker.opts?.autorun === false && !worker.isRunning()) void worker.run()
  }
  void Promise.all(workers.map((worker) => worker.waitUntilReady())).then(() => tellReady(workers))
  await asked
  await Promise.all(workers.map((worker) => worker.close()))
  await Promise.all(
    all.filter((value) => isClosable(value) && !isWorker(value)).map((value) => (value as Closable).close()),
  )
  const { close } = loaded
  if (typeof close === 'function') await (close as () => unknown)()
  process.exit(0)
}

/** Resolves with the first TERM or INT; the second ends it at once. */
function stopAsked(): Promise<void> {
  return new Promise((settle) => {
    let first: number | undefined
    const take = (): void => {
      first ??= performance.now()
      settle()
      if (performance.now() - first > ECHO_MS) process.exit(1)
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, take)
  })
}

/** Everything that is exported, what is in lists and in a default object included. */
async function exportsOf({ default: main, ...named }: Record<string, unknown>): Promise<readonly unknown[]> {
  const inner = isPlain(main) ? Object.values(main) : [main]
  const values = await Promise.all([...Object.values(named), ...inner])
  return [...new Set(values.flat())]
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const has = (value: Record<string, unknown>, ...methods: readonly string[]): boolean =>
  methods.every((name) => typeof value[name] === 'function')

const isClosable = (value: unknown): value is Closable => isObject(value) && has(value, 'close', 'waitUntilReady')

const isWorker = (value: unknown): value is Worker =>
  isClosable(value) && has(value as unknown as Record<string, unknown>, 'getNextJob', 'run', 'isRunning')

function tellReady(workers: readonly Worker[]): void {
  const names = workers.map(({ name = '' }) => name).join(', ')
  process.stdout.write(`prodserver: ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'} ready: ${names}\n`)
}

/** Says an error when it is another than before: one that lasts comes with every attempt. */
function tellOnce({ name = '' }: Worker): (error: Error) => void {
  let last = ''
  return ({ message }) => {
    if (message !== last) say(`prodserver: the worker of ${name} has an error: ${message}`)
    last = message
  }
}

const say = (text: string): boolean => process.stderr.write(`${text}\n`)
