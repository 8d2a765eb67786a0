import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { cleanEnv, findProgram, hasProgram } from './environment.ts'
import { freePort } from './net.ts'
import { waitUntil } from './running.ts'

/** A message broker of a test file's own, on the loopback interface only. */
interface Broker {
  /** For clients. Where the broker has databases, each call names one that no other test uses. */
  readonly url: () => string
  /** Ends it and whatever it left behind, and proves that. */
  readonly stop: () => Promise<void>
}

type BrokerName = 'Redis' | 'RabbitMQ'

const BROKERS: Readonly<
  Record<BrokerName, { readonly program: string; readonly install: string; readonly start: () => Promise<Broker> }>
> = {
  Redis: { program: 'redis-server', install: 'apt-get install redis-server', start: startRedis },
  RabbitMQ: { program: 'rabbitmq-server', install: 'apt-get install rabbitmq-server', start: startRabbitMq },
}

const started = new Map<BrokerName, Promise<Broker>>()

/** The file's own broker, started when it is first asked for; undefined (and the test skipped) where it is missing. */
export async function useBroker(t: TestContext, name: BrokerName): Promise<Broker | undefined> {
  const { program, install, start } = BROKERS[name]
  if (!hasProgram(t, program, install)) return undefined
  const broker = started.get(name) ?? start()
  started.set(name, broker)
  return broker
}

after(async () => {
  // One that did not start has cleaned up, and failed its tests.
  for (const broker of await Promise.allSettled(started.values())) if ('value' in broker) await broker.value.stop()
})

async function startRedis(): Promise<Broker> {
  const port = await freePort()
  const databases = 100
  const server = await launch('redis-server', (home) => ({
    // No snapshots: they would be written after the folder is gone.
    args: ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', home, '--save', '', '--databases', `${databases}`],
  }))
  await server.answers(port, 'PING\r\n', '+PONG')
  let database = -1
  return { url: () => `redis://127.0.0.1:${port}/${(database = (database + 1) % databases)}`, stop: server.stop }
}

async function startRabbitMq(): Promise<Broker> {
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  const names = { ERL_EPMD_PORT: `${epmd}`, ERL_EPMD_ADDRESS: '127.0.0.1' }
  // Erlang starts its name server as a daemon where none answers, and never ends it. This one is ours to end.
  const nameServer = await launch('epmd', () => ({ args: [], env: names }))
  try {
    await nameServer.answers(epmd, '\0\x01n', '')
    const server = await launch(rabbitMqScript(), (home) => ({
      args: [],
      env: {
        ...names,
        // The script then becomes the server, instead of waiting for it.
        RUNNING_UNDER_SYSTEMD: 'true',
        RABBITMQ_NODENAME: `${basename(home)}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: `${port}`,
        RABBITMQ_DIST_PORT: `${distribution}`,
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
        // Nothing of the machine's own instance is read or written.
        RABBITMQ_CONF_ENV_FILE: join(home, 'none'),
        RABBITMQ_CONFIG_FILE: join(home, 'none'),
        RABBITMQ_ADVANCED_CONFIG_FILE: join(home, 'none'),
        RABBITMQ_ENABLED_PLUGINS_FILE: writeEmptyList(join(home, 'enabled_plugins')),
        RABBITMQ_MNESIA_BASE: home,
        RABBITMQ_LOG_BASE: home,
        RABBITMQ_LOGS: '-',
      },
    }))
    const stop = async (): Promise<void> => {
      await server.stop()
      await nameServer.stop()
    }
    await server.answers(port, 'AMQP\0\0\x09\x01', 'RabbitMQ')
    return { url: () => `amqp://guest:guest@127.0.0.1:${port}//`, stop }
  } catch (error) {
    await nameServer.stop()
    throw error
  }
}

/** Debian's command drops root's rights and the environment with them; the script that it calls lies beside it. */
function rabbitMqScript(): string {
  const folder = dirname(realpathSync(findProgram('rabbitmq-server') as string))
  return join(folder, 'rabbitmq-server')
}

function writeEmptyList(path: string): string {
  writeFileSync(path, '[].\n')
  return path
}

interface Server {
  /** Waits until the port answers the question with something that contains the text. */
  readonly answers: (port: number, question: string, text: string) => Promise<void>
  readonly stop: () => Promise<void>
}

interface Launch {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a server in a folder of its own, by which all that it starts is found again. */
async function launch(program: string, options: (home: string) => Launch): Promise<Server> {
  const home = mkdtempSync(join(tmpdir(), 'prodserver-broker-'))
  const { args, env } = options(home)
  // Where the kernel can do it, the server goes with this process, however that ends.
  const setpriv = findProgram('setpriv')
  const leash = setpriv ? [setpriv, '--pdeathsig', 'KILL'] : []
  const [command = '', ...words] = [...leash, findProgram(program) ?? program, ...args]
  const child = spawn(command, words, {
    cwd: home,
    env: cleanEnv({ HOME: home, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // An interrupt at the terminal is for the tests, and not for what they need until their end.
    detached: true,
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text))
  const ended = once(child, 'close').then(() => true)
  const stop = async (): Promise<void> => {
    await waitUntil(
      () => kill(home, child),
      20_000,
      () => `${program} does not end.`,
    )
    await ended
    rmSync(home, { recursive: true, force: true })
  }
  const answers = async (port: number, question: string, text: string): Promise<void> => {
    try {
      await waitUntil(
        async () => {
          if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}.\n${output.join('')}`)
          return (await ask(port, question))?.includes(text)
        },
        60_000,
        () => `${program} does not answer.\n${output.join('')}`,
      )
    } catch (error) {
      await stop()
      throw error
    }
  }
  return { answers, stop }
}

/** Kills the process, and every process that has the folder as its home. True when none is left. */
function kill(home: string, child: ChildProcess): true | undefined {
  const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null
  const pids = [...(running ? [child.pid] : []), ...inhabitants(home)]
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Already gone, which is what is wanted.
    }
  }
  return pids.length === 0 || undefined
}

/** Daemons leave the group and the session that they were started in, but not their environment. */
function inhabitants(home: string): number[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`HOME=${home}`)
      } catch {
        // It ended meanwhile, or is somebody else's.
        return false
      }
    })
    .map(Number)
}

/** What a port says to a question; undefined where nobody listens. */
function ask(port: number, question: string): Promise<string | undefined> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(question, 'latin1'))
    let answer = ''
    const end = (value: string | undefined): void => {
      socket.destroy()
      settle(value)
    }
    socket.setTimeout(5000, () => end(undefined))
    socket.setEncoding('latin1').once('data', (text: string) => end((answer += text)))
    socket.once('end', () => end(answer))
    socket.once('error', () => end(undefined))
  })
}
