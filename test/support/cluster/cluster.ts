import type { TestContext } from 'node:test'
import type { Fates } from './fates.ts'
import type { Data, Stored } from './objects.ts'

/** A cluster that a test has for itself, with a node that runs nothing and says how each pod fares. */
export interface Cluster {
  readonly kubeconfig: string
  readonly namespace: string
  readonly get: (plural: string, name: string) => Promise<Stored | undefined>
  readonly list: (plural: string) => Promise<readonly Stored[]>
  readonly apply: (plural: string, object: Data & Pick<Stored, 'apiVersion' | 'kind'>) => Promise<void>
  /** What a pod has printed; whoever follows gets what is added. */
  readonly print: (pod: string, line: string) => void
}

export interface ClusterOptions {
  readonly fates?: Fates
  /** Lines that a pod has printed when it starts. */
  readonly prints?: (pod: string) => readonly string[]
}

/** One that only speaks as the real one does; the real one, where `PRODSERVER_TEST_KUBECONFIG` names it. */
export async function startCluster(t: TestContext, options: ClusterOptions = {}): Promise<Cluster> {
  const real = process.env['PRODSERVER_TEST_KUBECONFIG']
  if (real === undefined) return (await import('./api-server.ts')).startApiServer(t, options)
  return (await import('./real.ts')).useRealCluster(t, real, options)
}
