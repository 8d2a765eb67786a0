import type { ActionChange, ActionLine } from '../../control/protocol.ts'
import { EXIT } from '../../core/errors.ts'
import type { Deployment, Engine } from '../engine.ts'
import type { NomadClient } from './client.ts'
import { NomadDeployment } from './deployment.ts'

/** One application on a cluster of Nomad. */
export class NomadEngine implements Engine {
  readonly #client: NomadClient

  constructor(client: NomadClient) {
    this.#client = client
  }

  async *deploy({ request, files, release }: Deployment, signal: AbortSignal): AsyncGenerator<ActionLine> {
    yield { begun: true }
    // Nomad parses every file before the first job is registered.
    const jobs = await Promise.all(files.map(({ text }) => this.#client.parse(text)))
    const released = new Set(request.processes.flatMap(({ name, run }) => (run === 'release' ? [name] : [])))
    const deployment = new NomadDeployment(this.#client, signal)
    const first = jobs.filter((job) => job.Type === 'batch' && !job.Periodic)
    for (const job of first) {
      const failed = yield* deployment.runToCompletion(job, released, release)
      if (signal.aborted) return
      if (failed) {
        yield { result: { exitCode: EXIT.refused, changes: [failed] } }
        return
      }
    }
    const changes: ActionChange[] = []
    for (const job of jobs.filter((one) => !first.includes(one))) {
      const own = job.Periodic ? await deployment.schedule(job) : yield* deployment.rollOut(job)
      changes.push(...own)
    }
    if (signal.aborted) return
    const isRefused = changes.some(({ did }) => did === 'refused')
    yield { result: { exitCode: isRefused ? EXIT.refused : EXIT.done, changes } }
  }
}
