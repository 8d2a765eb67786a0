import { createHash, randomBytes } from 'node:crypto'
import { kubernetesObjects, type KubernetesObject } from '../../export/index.ts'
import type { Deployment } from '../engine.ts'
import { processOf } from './status.ts'

/** The longest name of an object: a label of DNS. */
const LONGEST_NAME = 63
const SUFFIX_BYTES = 4

/** Returns the objects that a deployment applies: those of the export, with a Job of its own for each release. */
export const deployedObjects = (deployment: Deployment): readonly KubernetesObject[] =>
  kubernetesObjects(deployment.request).map((object) =>
    object.kind === 'Job' ? withReleaseName(object, deployment) : object,
  )

/**
 * Names a Job by its release, because Kubernetes can neither change nor rerun a Job. A process that runs at each deployment
 * gets a random name. Without a release id, the content of the Job is the release.
 */
function withReleaseName(job: KubernetesObject, { request, release }: Deployment): KubernetesObject {
  const owner = request.processes.find(({ name }) => name === processOf(job))
  const suffix =
    owner?.run === 'release' ? hash(release ?? JSON.stringify(job)) : randomBytes(SUFFIX_BYTES).toString('hex')
  const { metadata } = job
  // The Job stays as long as its release: its presence says that the release is done.
  const { ttlSecondsAfterFinished: _, ...spec } = job.spec
  const name = metadata.name.slice(0, LONGEST_NAME - suffix.length - 1)
  return { ...job, spec, metadata: { ...metadata, name: `${name}-${suffix}` } }
}

const hash = (text: string): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 2 * SUFFIX_BYTES)
