import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type {
  ActionLine,
  ActionRequest,
  InstanceStatus,
  ProcessEvent,
  ProcessStatus,
  Snapshot,
  Why,
} from '../../src/control/protocol.ts'

/** Something that answers as a supervisor does, and runs nothing. */
export interface FakeSupervisor {
  snapshot: Snapshot
  why: Why | undefined
  /** What it was asked to do, and what it answers. */
  readonly actions: ActionRequest[]
  answer: readonly ActionLine[]
  /** Tells everybody who listens. */
  readonly tell: (event: ProcessEvent) => void
  readonly close: () => Promise<void>
}

export async function startFakeSupervisor(stateDir: string, snapshot: Snapshot): Promise<FakeSupervisor> {
  const listeners = new Set<ServerResponse>()
  const fake: FakeSupervisor = {
    snapshot,
    why: undefined,
    actions: [],
    answer: [{ result: { exitCode: 0, changes: [] } }],
    tell: (event) => {
      for (const response of listeners) response.write(`event: process\ndata: ${JSON.stringify(event)}\n\n`)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
  const server = createServer((request, response) => void serve(request, response))
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const send = (value: unknown): void => void response.end(JSON.stringify(value))
    if (pathname === '/v1') send(fake.snapshot.supervisor)
    else if (pathname === '/v1/processes') send(fake.snapshot)
    else if (pathname.endsWith('/why') && fake.why) send(fake.why)
    else if (pathname === '/v1/events') {
      response.write(`event: snapshot\ndata: ${JSON.stringify(fake.snapshot)}\n\n`)
      listeners.add(response)
      response.on('close', () => listeners.delete(response))
    } else if (pathname === '/v1/actions') {
      let body = ''
      for await (const part of request.setEncoding('utf8')) body += part
      fake.actions.push(JSON.parse(body) as ActionRequest)
      response.end(fake.answer.map((line) => `${JSON.stringify(line)}\n`).join(''))
    } else response.writeHead(404).end('{"error":"There is no such thing.","exitCode":2}')
  }
  await new Promise<void>((resolve) => {
    server.listen(join(stateDir, 'control.sock'), resolve)
  })
  return fake
}

export function createSnapshot(processes: readonly ProcessStatus[], startedAt = new Date().toISOString()): Snapshot {
  const supervisor = {
    version: '1.0.0',
    api: 1,
    pid: 100,
    shimPid: 101,
    startedAt,
    root: '/srv/mysite',
    settings: 'mysite.settings',
    python: '/srv/mysite/.venv/bin/python',
    stateDir: '/var/lib/mysite',
  }
  return { supervisor, processes }
}

export function createProcess(
  process: string,
  instances: readonly InstanceStatus[],
  more: Partial<ProcessStatus> = {},
): ProcessStatus {
  return {
    process,
    kind: 'worker',
    title: 'celery',
    wanted: 'running',
    run: 'always',
    listen: [],
    reload: 'one at a time',
    schedule: null,
    declaredInstances: instances.length,
    instances,
    ...more,
  }
}

export function createInstance(instance: string, more: Partial<InstanceStatus> = {}): InstanceStatus {
  const time = new Date(Date.now() - 3_600_000).toISOString()
  return {
    instance,
    process: instance.replace(/\.\d+$/, ''),
    state: 'running',
    pid: 4121,
    invocation: 1,
    since: time,
    startedAt: time,
    readyAt: time,
    restarts: 0,
    lastExit: null,
    nextAt: null,
    waitingFor: [],
    reason: null,
    beside: null,
    ...more,
  }
}
