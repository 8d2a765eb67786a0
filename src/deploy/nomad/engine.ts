import type { ActionChange, ActionLine } from '../../control/protocol.ts'
import { EXIT } from '../../core/errors.ts'
import { createEvents } from '../events.ts'
import type { Allocation, NomadClient, NomadJob } from './client.ts'

export interface NomadDeploying {
  /** Files in HCL, what ends by itself first. */
  readonly files: readonly string[]
  /** What names the code, for what runs once for it; by its own content where undefined. */
  readonly release: string | undefined
  /** Whether the process of that group runs for each release, and not at each deployment. */
  readonly isPerRelease: (group: string) => boolean
}

/** How often the cluster is asked. */
const LOOK_MS = 500
/** Where a job remembers the release that it ran for. */
const RELEASE = 'prodserver_release'

/** Brings jobs into force: those that end first, and one that fails stops the rest; then waits until the services are healthy. */
export async function* deployToNomad(
  client: NomadClient,
  { files, release, isPerRelease }: NomadDeploying,
  signal: AbortSignal,
): AsyncGenerator<ActionLine> {
  yield { begun: true }
  const events = createEvents()
  // All of them are understood before the first is registered.
  const jobs = await Promise.all(files.map(client.parse))
  const first = jobs.filter((job) => job.Type === 'batch' && !job.Periodic)
  for (const job of first) {
    const failed = yield* runOnce(job)
    if (signal.aborted) return
    if (failed) {
      yield { result: { exitCode: EXIT.refused, changes: [failed] } }
      return
    }
  }
  const changes: ActionChange[] = []
  for (const job of jobs) {
    if (first.includes(job)) continue
    if (job.Periodic) {
      await client.register(job)
      const { Spec, Specs } = job.Periodic
      for (const { Name } of job.TaskGroups)
        changes.push({ process: Name, did: 'scheduled', message: Spec || (Specs ?? []).join(', ') })
    } else changes.push(...(yield* rollOut(job)))
  }
  if (signal.aborted) return
  yield { result: { exitCode: changes.some(({ did }) => did === 'refused') ? EXIT.refused : EXIT.done, changes } }

  /** Undefined where that was good. */
  async function* runOnce(job: NomadJob): AsyncGenerator<ActionLine, ActionChange | undefined> {
    const [{ Name: name }] = job.TaskGroups as [NomadJob['TaskGroups'][number]]
    const own = isPerRelease(name) ? (release ?? JSON.stringify(job)) : new Date().toISOString()
    const before = await client.job(job.ID)
    if (before?.Meta?.[RELEASE] === own && (await client.allocations(job.ID)).some(isComplete)) {
      yield { event: events.skipped(name, 'done before for this release') }
      return undefined
    }
    const { JobModifyIndex } = await client.register({ ...job, Meta: { ...job.Meta, [RELEASE]: own } })
    for await (const allocations of look(() => client.allocations(job.ID))) {
      const newest = allocations.filter(({ CreateIndex }) => CreateIndex >= JobModifyIndex)
      if (newest.some(isComplete)) {
        yield { event: events.done(name) }
        return undefined
      }
      const failed = newest.find(({ ClientStatus }) => ClientStatus === 'failed')
      if (failed) {
        const message = `it failed: ${whyOf(failed)}; what runs is left alone`
        return { process: name, did: 'refused', message, details: await client.lastLines(failed.ID, name) }
      }
    }
    return undefined
  }

  async function* rollOut(job: NomadJob): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const { EvalID } = await client.register(job)
    let deploymentId: string | undefined
    const told = new Set<string>()
    for await (const evaluation of look(() => client.evaluation(EvalID))) {
      deploymentId = evaluation.DeploymentID
      if (evaluation.Status === 'failed' || evaluation.Status === 'canceled')
        return groupsOf(job).map((name) => refused(name, evaluation.StatusDescription ?? evaluation.Status))
      if (deploymentId || evaluation.Status === 'complete') break
    }
    // Nothing has changed.
    if (!deploymentId)
      return job.TaskGroups.map(({ Name, Count }) => ({
        process: Name,
        did: 'unchanged',
        message: `${Count} of ${Count}`,
      }))
    const id = deploymentId
    for await (const deployment of look(() => client.deployment(id))) {
      const allocations = (await client.allocations(job.ID)).filter(({ DeploymentID }) => DeploymentID === id)
      for (const one of allocations) {
        const word = one.DeploymentStatus?.Healthy ? 'ready' : one.ClientStatus === 'failed' ? 'failed' : undefined
        if (word === undefined || told.has(`${one.ID} ${word}`)) continue
        told.add(`${one.ID} ${word}`)
        yield { event: events.make(word, one.TaskGroup, instanceOf(one), word === 'ready' ? 'ready' : whyOf(one)) }
      }
      if (deployment.Status === 'successful')
        return job.TaskGroups.map(({ Name, Count }) => ({
          process: Name,
          did: 'deployed',
          message: `${Count} of ${Count}`,
        }))
      if (deployment.Status !== 'failed' && deployment.Status !== 'cancelled') continue
      return Promise.all(
        groupsOf(job).map(async (name): Promise<ActionChange> => {
          const group = deployment.TaskGroups[name]
          const bad = allocations.find(
            (one) =>
              one.TaskGroup === name && (one.ClientStatus === 'failed' || one.DeploymentStatus?.Healthy === false),
          )
          if (!bad && group && group.HealthyAllocs >= group.DesiredTotal)
            return { process: name, did: 'deployed', message: '' }
          const details = bad && (await client.lastLines(bad.ID, name))
          return { ...refused(name, bad ? whyOf(bad) : deployment.StatusDescription), details }
        }),
      )
    }
    return []
  }

  /** An answer again and again, until the signal. */
  async function* look<T>(ask: () => Promise<T>): AsyncGenerator<T> {
    while (!signal.aborted) {
      yield await ask()
      await new Promise((next) => setTimeout(next, LOOK_MS))
    }
  }
}

const groupsOf = ({ TaskGroups }: NomadJob): readonly string[] => TaskGroups.map(({ Name }) => Name)

/** The job says `auto_revert`: Nomad itself goes back to the version that was good. */
const refused = (name: string, why: string): ActionChange => ({
  process: name,
  did: 'refused',
  message: `${why.replace(/\.$/, '')}; the version before comes back`,
})

const isComplete = ({ ClientStatus }: Allocation): boolean => ClientStatus === 'complete'

/** `web[0]`, and the beginning of the allocation's id. */
const instanceOf = ({ Name, ID }: Allocation): string => `${Name.replace(/^.*\./, '')} ${ID.slice(0, 8)}`

/** The last thing that Nomad says of the task that failed. */
function whyOf({ TaskStates, ClientStatus }: Allocation): string {
  const states = Object.values(TaskStates ?? {})
  const state = states.find(({ Failed }) => Failed) ?? states[0]
  const said = (state?.Events ?? []).flatMap(({ DisplayMessage }) => DisplayMessage ?? [])
  return said.find((text) => /exit|fail|error/i.test(text)) ?? said.at(-1) ?? ClientStatus
}
