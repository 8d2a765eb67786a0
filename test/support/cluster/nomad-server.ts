import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Something that answers as Nomad's API does, and runs nothing. */
export interface NomadServer {
  readonly address: string
  readonly jobs: ReadonlyMap<string, Job>
  readonly requests: readonly string[]
}

interface Job {
  readonly ID: string
  readonly Type: string
  readonly Periodic: { readonly Specs: readonly string[] } | null
  readonly TaskGroups: readonly { readonly Name: string; readonly Count: number }[]
  readonly Image: string
  readonly Meta?: Readonly<Record<string, string>>
}

interface Registered {
  readonly job: Job
  readonly index: number
  readonly evaluation: string
  readonly deployment: string
  /** How many times its deployment was looked at: it takes its time. */
  looks: number
}

export interface NomadOptions {
  /** Whether the task of a group comes to work, with that image. */
  readonly works?: (group: string, image: string) => boolean
}

export async function startNomad(t: TestContext, { works = () => true }: NomadOptions = {}): Promise<NomadServer> {
  const registered = new Map<string, Registered>()
  const jobs = new Map<string, Job>()
  const requests: string[] = []
  let index = 100

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => fail(response, 500, String(error)))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    requests.push(`${request.method} ${pathname}`)
    if (request.headers['x-nomad-token'] !== 'token-of-the-test') return fail(response, 403, 'Permission denied')
    const [, version, kind, id = '', what] = pathname.split('/')
    if (version !== 'v1') return fail(response, 404, 'not found')
    if (pathname === '/v1/jobs/parse')
      return reply(response, parse(((await readJson(request)) as { JobHCL: string }).JobHCL))
    if (pathname === '/v1/jobs') return reply(response, register(((await readJson(request)) as { Job: Job }).Job))
    if (kind === 'job' && what === 'allocations') return reply(response, allocations(id))
    if (kind === 'job') {
      const job = jobs.get(id)
      return job ? reply(response, job) : fail(response, 404, 'job not found')
    }
    const one = [...registered.values()].find(({ evaluation, deployment }) => evaluation === id || deployment === id)
    if (kind === 'evaluation' && one)
      return reply(response, { Status: 'complete', DeploymentID: one.job.Type === 'service' ? one.deployment : '' })
    if (kind === 'deployment' && one) return reply(response, deployment(one))
    if (kind === 'client') return void response.end('ModuleNotFoundError: No module named shop\n')
    return fail(response, 404, 'not found')
  }

  function register(job: Job): object {
    index++
    const ids = { evaluation: `evaluation-${index}`, deployment: `deployment-${index}` }
    registered.set(`${job.ID} ${index}`, { job, index, ...ids, looks: 0 })
    jobs.set(job.ID, job)
    return { EvalID: job.Periodic ? '' : ids.evaluation, JobModifyIndex: index }
  }

  function allocations(id: string): readonly object[] {
    return [...registered.values()]
      .filter(({ job }) => job.ID === id)
      .flatMap(({ job, index, deployment }) =>
        job.TaskGroups.flatMap(({ Name, Count }) =>
          Array.from({ length: Count }, (_, number) => {
            const isGood = works(Name, job.Image)
            const events = isGood ? [] : [{ DisplayMessage: 'Exit Code: 3' }]
            return {
              ID: `${index}${number}aaaaaaaa`,
              Name: `${job.ID}.${Name}[${number}]`,
              TaskGroup: Name,
              CreateIndex: index,
              DeploymentID: deployment,
              ClientStatus: isGood ? (job.Type === 'batch' ? 'complete' : 'running') : 'failed',
              DeploymentStatus: { Healthy: isGood },
              TaskStates: { [Name]: { State: 'dead', Failed: !isGood, Events: events } },
            }
          }),
        ),
      )
  }

  function deployment(one: Registered): object {
    one.looks++
    const groups = one.job.TaskGroups.map(({ Name, Count }) => {
      const isGood = works(Name, one.job.Image)
      return [
        Name,
        { DesiredTotal: Count, HealthyAllocs: isGood ? Count : 0, UnhealthyAllocs: isGood ? 0 : 1 },
      ] as const
    })
    const isGood = one.job.TaskGroups.every(({ Name }) => works(Name, one.job.Image))
    return {
      Status: one.looks < 2 ? 'running' : isGood ? 'successful' : 'failed',
      StatusDescription: isGood ? 'Deployment completed successfully' : 'Failed due to unhealthy allocations',
      TaskGroups: Object.fromEntries(groups),
    }
  }

  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, jobs, requests }
}

/** What these tests need of a job in HCL. */
function parse(hcl: string): Job {
  const groups = [...hcl.matchAll(/^ {2}group "([^"]+)" \{\n(?:\s*count\s*=\s*(\d+))?/gm)]
  const cron = /crons\s*=\s*\["([^"]+)"\]/.exec(hcl)?.[1]
  return {
    ID: /^job "([^"]+)"/m.exec(hcl)?.[1] ?? '',
    Type: /^ {2}type\s*=\s*"(\w+)"/m.exec(hcl)?.[1] ?? 'service',
    Periodic: cron === undefined ? null : { Specs: [cron] },
    TaskGroups: groups.map(([, name = '', count]) => ({ Name: name, Count: Number(count ?? 1) })),
    Image: /image\s*=\s*"([^"]+)"/.exec(hcl)?.[1] ?? '',
  }
}

function reply(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const fail = (response: ServerResponse, code: number, message: string): void =>
  void response.writeHead(code, { 'content-type': 'text/plain' }).end(message)

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return JSON.parse(text)
}
