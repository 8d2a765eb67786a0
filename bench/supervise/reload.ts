/** How many requests a web server loses while its manager reloads it under load. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../measure.ts'
import type { WebSetup } from './contestant.ts'
import type { Entrant } from './field.ts'
import { endRun, LIMIT_MS, makePlace, type Run, runCommand, startRun } from './running.ts'
import type { Ground } from './start-and-stop.ts'

interface Reloading {
  readonly lost: number
  readonly sent: number
  /** The longest time without an answer. */
  readonly gapMs: number
  /** The longest that the command took. */
  readonly commandMs: number
}

const CLIENTS = 4
/** Between two requests of one client: 800 requests a second in all, at most. */
const PAUSE_MS = 5
const RELOADS = 3
const QUIET_MS = 1500
/** Whatever happens, load ends with this many requests. */
const MOST_REQUESTS = 40_000
const ANSWER_LIMIT_MS = 10_000
const COMMAND_LIMIT_MS = 20_000

interface Web {
  readonly python: string
  /** A Django project for all that do not write their own. */
  readonly project: string
}

export async function reload(entrant: Entrant, ground: Ground, { python, project }: Web): Promise<Reloading> {
  const port = await freePort()
  const place = makePlace(ground.folder, ground.node)
  // The servers' own environment: a project is found in its folder.
  const env = { ...place.env, DJANGO_SETTINGS_MODULE: 'mysite.settings' }
  const setup = entrant.configureWeb?.({ ...place, env, python, project, port })
  if (!setup) throw new Error('it cannot')
  const run = startRun(place, setup)
  try {
    await waitForAnswer(port)
    return await reloadUnderLoad(setup, port)
  } finally {
    await stop(run)
  }
}

async function reloadUnderLoad(setup: WebSetup, port: number): Promise<Reloading> {
  const load = startLoad(port)
  const commandsMs: number[] = []
  await sleep(QUIET_MS)
  for (let count = 0; count < RELOADS; count++) {
    commandsMs.push(await timeCommand(setup))
    await sleep(QUIET_MS)
  }
  return { ...(await load.end()), commandMs: Math.max(...commandsMs) }
}

async function timeCommand({ reload }: WebSetup): Promise<number> {
  const startedAt = performance.now()
  const command = runCommand(reload)
  const limit = setTimeout(() => command.kill('SIGKILL'), COMMAND_LIMIT_MS)
  const [code, signal] = (await once(command, 'exit')) as [number | null, string | null]
  clearTimeout(limit)
  if (code !== 0) throw new Error(`${reload.argv.slice(1).join(' ')} ended with ${code ?? signal}`)
  return performance.now() - startedAt
}

async function waitForAnswer(port: number): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  while (!(await ask(port))) {
    if (performance.now() > deadline) throw new Error('the server does not answer')
    await sleep(20)
  }
}

function startLoad(port: number): { end: () => Promise<Omit<Reloading, 'commandMs'>> } {
  const load = { sent: 0, lost: 0, gapMs: 0 }
  const end = new AbortController()
  let answeredAt = performance.now()
  const client = async (): Promise<void> => {
    while (!end.signal.aborted && load.sent < MOST_REQUESTS) {
      load.sent++
      if (await ask(port)) {
        load.gapMs = Math.max(load.gapMs, performance.now() - answeredAt)
        answeredAt = performance.now()
      } else load.lost++
      await sleep(PAUSE_MS)
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  return {
    async end() {
      end.abort()
      await Promise.all(clients)
      return load
    },
  }
}

/** One request on a connection of its own. @returns whether it was answered, and well. */
function ask(port: number): Promise<boolean> {
  return new Promise((settle) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'),
    )
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => void (answer += chunk.toString('latin1')))
    socket.on('error', () => {})
    socket.once('close', () => settle(/^HTTP\/1\.\d 200 /.test(answer) && answer.endsWith('ok')))
  })
}

async function stop(run: Run<WebSetup>): Promise<void> {
  const { stop = 'SIGTERM' } = run.setup
  if (typeof stop === 'string') run.child.kill(stop)
  else await once(runCommand(stop), 'exit')
  await endRun(run)
}
