import { createHash, randomBytes } from 'node:crypto'
import { processOf } from '../../cluster/kube-status.ts'
import { EXIT, UsageError } from '../../errors.ts'
import type { ExportInput, KubernetesObject } from '../../export/index.ts'
import type { CommandContext } from '../commands.ts'
import { connectCluster } from '../cluster.ts'
import { exportInput, render } from '../export-input.ts'
import { single } from '../read-project.ts'
import { followAction } from './up.ts'

/** Brings the declaration into force on a cluster, and waits until it serves. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io } = context
  const [engineName, ...names] = options.positionals
  if (engineName !== 'kubernetes')
    throw new UsageError(
      engineName === undefined
        ? 'deploy takes an engine: kubernetes.'
        : `There is no engine ${JSON.stringify(engineName)}: kubernetes.`,
      'prodserver deploy kubernetes --image shop:1.4',
    )
  if (single(context, 'image') === undefined)
    throw new UsageError('deploy needs the image that it is to run.', 'Such as: --image registry.example.com/shop:1.4')
  const { kubernetes, kubernetesObjects } = await import('../../export/index.ts')
  const input = await exportInput(context, kubernetes, names)
  // A file cannot know which release was done; a deployment does.
  const releases = new Set(input.processes.flatMap(({ run, from }) => (run === 'release' ? [from.run] : [])))
  render(kubernetes, input, context, ({ place }) => !releases.has(place))
  const release = single(context, 'release')
  const objects = kubernetesObjects(input).map((object) =>
    object.kind === 'Job' ? perRelease(object, input, release) : object,
  )
  if (options.values['dry-run'] !== undefined) {
    for (const object of objects) io.stdout.write(`${JSON.stringify(object)}\n`)
    return EXIT.done
  }
  const { engine } = await connectCluster(context)
  return followAction((signal) => engine.deploy({ objects, isWhole: names.length === 0 }, signal), context)
}

/** What an object may be called: a label of DNS. */
const LONGEST_NAME = 63

/**
 * A Job is never changed and never run again: what runs once for a release has the release in its name, what runs at each
 * deployment a name of its own. Without `--release`, its image and its command are the release.
 */
function perRelease(job: KubernetesObject, { processes }: ExportInput, release: string | undefined): KubernetesObject {
  const owner = processes.find(({ name }) => name === processOf(job))
  const text = release ?? JSON.stringify(job)
  const suffix =
    owner?.run === 'release'
      ? createHash('sha256').update(text).digest('hex').slice(0, 8)
      : randomBytes(4).toString('hex')
  const { metadata } = job
  // It is there for as long as its release: that is how it is known to be done.
  const { ttlSecondsAfterFinished: _, ...spec } = job.spec
  return { ...job, spec, metadata: { ...metadata, name: `${metadata.name.slice(0, LONGEST_NAME - 9)}-${suffix}` } }
}
