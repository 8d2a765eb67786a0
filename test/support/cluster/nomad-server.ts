import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { readJson, replyJson, serveApi } from './http.ts'

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
  const nomad = new FakeNomad(works)
  const address = await serveApi(t, (request, response) => nomad.answer(request, response))
  return { address, jobs: nomad.jobs, requests: nomad.requests }
}

class FakeNomad {
  readonly jobs = new Map<string, Job>()
  readonly requests: string[] = []
  readonly #works: NonNullable<NomadOptions['works']>
  readonly #registered: Registered[] = []
  #index = 100

  constructor(works: NonNullable<NomadOptions['works']>) {
    this.#works = works
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    this.requests.push(`${request.method} ${pathname}`)
    if (request.headers['x-nomad-token'] !== 'token-of-the-test') return fail(response, 403, 'Permission denied')
    if (pathname === '/v1/jobs/parse')
      return replyJson(response, parse(((await readJson(request)) as { JobHCL: string }).JobHCL))
    if (pathname === '/v1/jobs')
      return replyJson(response, this.#register(((await readJson(request)) as { Job: Job }).Job))
    const [, version, kind = '', id = '', what] = pathname.split('/')
    if (version === 'v1' && kind === 'client') return void response.end('ModuleNotFoundError: No module named shop\n')
    const object = version === 'v1' ? this.#find(kind, id, what) : undefined
    return object ? replyJson(response, object) : fail(response, 404, 'not found')
  }

  #register(job: Job): object {
    const index = ++this.#index
    const ids = { evaluation: `evaluation-${index}`, deployment: `deployment-${index}` }
    this.#registered.push({ job, index, ...ids, looks: 0 })
    this.jobs.set(job.ID, job)
    return { EvalID: job.Periodic ? '' : ids.evaluation, JobModifyIndex: index }
  }

  #find(kind: string, id: string, what: string | undefined): object | undefined {
    if (kind === 'job') return what === 'allocations' ? this.#allocations(id) : this.jobs.get(id)
    const one = this.#registered.find(({ evaluation, deployment }) => evaluation === id || deployment === id)
    if (!one) return undefined
    if (kind === 'evaluation')
      return { Status: 'complete', DeploymentID: one.job.Type === 'service' ? one.deployment : '' }
    return kind === 'deployment' ? this.#deployment(one) : undefined
  }

  #allocations(id: string): readonly object[] {
    return this.#registered
      .filter(({ job }) => job.ID === id)
      .flatMap((one) =>
        one.job.TaskGroups.flatMap(({ Name, Count }) =>
          Array.from({ length: Count }, (_, number) => this.#allocation(one, Name, number)),
        ),
      )
  }

  #allocation({ job, index, deployment }: Registered, group: string, number: number): object {
    const isGood = this.#works(group, job.Image)
    const statusOfGood = job.Type === 'batch' ? 'complete' : 'running'
    const events = isGood ? [] : [{ DisplayMessage: 'Exit Code: 3' }]
    return {
      ID: `${index}${number}aaaaaaaa`,
      Name: `${job.ID}.${group}[${number}]`,
      TaskGroup: group,
      CreateIndex: index,
      DeploymentID: deployment,
      ClientStatus: isGood ? statusOfGood : 'failed',
      DeploymentStatus: { Healthy: isGood },
      TaskStates: { [group]: { State: 'dead', Failed: !isGood, Events: events } },
    }
  }

  #deployment(one: Registered): object {
    one.looks++
    const groups = one.job.TaskGroups.map(({ Name, Count }) => {
      const isGood = this.#works(Name, one.job.Image)
      const counts = { HealthyAllocs: isGood ? Count : 0, UnhealthyAllocs: isGood ? 0 : 1 }
      return [Name, { DesiredTotal: Count, ...counts }] as const
    })
    const isGood = one.job.TaskGroups.every(({ Name }) => this.#works(Name, one.job.Image))
    const ended = isGood ? 'successful' : 'failed'
    return {
      Status: one.looks < 2 ? 'running' : ended,
      StatusDescription: isGood ? 'Deployment completed successfully' : 'Failed due to unhealthy allocations',
      TaskGroups: Object.fromEntries(groups),
    }
  }
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

const fail = (response: ServerResponse, code: number, message: string): void =>
  void response.writeHead(code, { 'content-type': 'text/plain' }).end(message)
