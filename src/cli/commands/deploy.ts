import { createHash, randomBytes } from 'node:crypto'
import { processOf } from '../../deploy/kubernetes/status.ts'
import { EXIT, type Problem, UsageError } from '../../core/errors.ts'
import type { ExportRequest, KubernetesObject } from '../../export/index.ts'
import type { CommandContext } from '../commands.ts'
import { exportInput, exportTo } from '../export-input.ts'
import { single } from '../read-project.ts'
import { followAction } from './up.ts'

/** Brings the declaration into force on a cluster, and waits until it serves. */
export async function execute(context: CommandContext): Promise<number> {
  const { options } = context
  const [engineName, ...names] = options.positionals
  const deploy = ENGINES.get(engineName ?? '')
  const known = [...ENGINES.keys()].join(', ')
  if (!deploy)
    throw new UsageError(
      engineName === undefined
        ? `deploy takes an engine: ${known}.`
        : `There is no engine ${JSON.stringify(engineName)}: ${known}.`,
      'prodserver deploy kubernetes --image shop:1.4',
    )
  if (single(context, 'image') === undefined)
    throw new UsageError('deploy needs the image that it is to run.', 'Such as: --image registry.example.com/shop:1.4')
  return deploy(context, names)
}

type Deploy = (context: CommandContext, names: readonly string[]) => Promise<number>

const ENGINES: ReadonlyMap<string, Deploy> = new Map<string, Deploy>([
  ['kubernetes', deployToKubernetes],
  ['nomad', deployNomad],
])

async function deployToKubernetes(context: CommandContext, names: readonly string[]): Promise<number> {
  const { options, io } = context
  const { kubernetes, kubernetesObjects } = await import('../../export/index.ts')
  const input = await exportInput(context, kubernetes, names)
  // Refuses what it refuses, and says what it has no word for.
  await exportTo(kubernetes, input, context, isKnownHere(input))
  const release = single(context, 'release')
  const objects = kubernetesObjects(input).map((object) =>
    object.kind === 'Job' ? perRelease(object, input, release) : object,
  )
  if (options.values['dry-run'] !== undefined) {
    for (const object of objects) io.stdout.write(`${JSON.stringify(object)}\n`)
    return EXIT.done
  }
  const { connectCluster } = await import('../cluster.ts')
  const { engine } = await connectCluster(context)
  return followAction((signal) => engine.deploy({ objects, isWhole: names.length === 0 }, signal), context)
}

async function deployNomad(context: CommandContext, names: readonly string[]): Promise<number> {
  const { options, io } = context
  const given = ['kubeconfig', 'context', 'namespace'].find((name) => options.values[name] !== undefined)
  if (given !== undefined)
    throw new UsageError(
      `--${given} means nothing for Nomad.`,
      'It is found as nomad finds it: NOMAD_ADDR, NOMAD_TOKEN',
    )
  const { nomad } = await import('../../export/index.ts')
  const input = await exportInput(context, nomad, names)
  const { files } = await exportTo(nomad, input, context, isKnownHere(input))
  if (options.values['dry-run'] !== undefined) {
    for (const { text } of files) io.stdout.write(`${text}\n`)
    return EXIT.done
  }
  const [{ createNomadClient }, { deployToNomad }] = await Promise.all([
    import('../../deploy/nomad/client.ts'),
    import('../../deploy/nomad/engine.ts'),
  ])
  const client = createNomadClient(io.env)
  const releases = new Set(input.processes.flatMap(({ name, run }) => (run === 'release' ? [name] : [])))
  const deploying = {
    files: files.map(({ text }) => text),
    release: single(context, 'release'),
    isPerRelease: (group: string) => releases.has(group),
  }
  return followAction((signal) => deployToNomad(client, deploying, signal), context)
}

/** A file cannot know which release was done, nor wait for what ends first; a deployment does. */
function isKnownHere({ processes }: ExportRequest): (problem: Problem) => boolean {
  const told = new Set(processes.flatMap(({ run, from }) => (run === 'release' ? [from.run] : [])))
  return ({ place }) => !told.has(place)
}

/** What an object may be called: a label of DNS. */
const LONGEST_NAME = 63

/**
 * A Job is never changed and never run again: what runs once for a release has the release in its name, what runs at each
 * deployment a name of its own. Without `--release`, its image and its command are the release.
 */
function perRelease(
  job: KubernetesObject,
  { processes }: ExportRequest,
  release: string | undefined,
): KubernetesObject {
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
