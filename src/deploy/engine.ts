import type { ActionLine, ActionRequest, ProcessStatus } from '../control/protocol.ts'
import type { Env } from '../core/types.ts'
import type { ExportedFile, ExportRequest, Target } from '../export/index.ts'

/**
 * A program that runs a deployed plan, such as Kubernetes: for an application on its cluster an engine does what the
 * supervisor does on one machine.
 *
 * An engine is a class in a folder of its own, `deploy/NAME/engine.ts`, an `EngineType` in `deploy/NAME/index.ts`, and one
 * line in the list of `deploy/index.ts`. It talks to the API of the cluster and prints nothing: it yields the same lines as
 * the supervisor, an event for each fact and one result at the end, and the command line renders them.
 */
export interface Engine {
  /**
   * Brings the plan into force: runs the processes that complete first, starts the others, and waits until they are ready.
   * A process that does not get ready is put back to its last version, and the result has an exit code for that. After
   * `signal` aborts, the generator ends without a result.
   */
  deploy(deployment: Deployment, signal: AbortSignal): AsyncGenerator<ActionLine>
}

/** An engine that also shows and changes what is deployed: `prodserver ps --on NAME` and the like. */
export interface OperableEngine extends Engine {
  /** Reads the deployed processes and their instances. */
  processes(options: { readonly usage: boolean }): Promise<readonly ProcessStatus[]>
  /** Carries out `stop`, `start`, `restart`, `reload`, `scale` or `down`. Targets are names of processes. */
  act(request: ActionRequest, signal: AbortSignal): AsyncGenerator<ActionLine>
  /** Yields the output of an instance, line by line. Each line begins with its time and a space. */
  logs(instance: string, query: LogQuery, signal?: AbortSignal): AsyncGenerator<string>
}

export interface LogQuery {
  /** Waits for more lines. Default: false. */
  readonly follow?: boolean
  /** Yields at most this number of lines from the end. Default: all. */
  readonly last?: number | undefined
  /** Yields only lines since this time. */
  readonly sinceMs?: number | undefined
  /** Reads the invocation before the current one. Default: false. */
  readonly previous?: boolean
}

/** One version of the application, ready to be brought to an engine. */
export interface Deployment {
  readonly request: ExportRequest
  /** The files of the engine's target. */
  readonly files: readonly ExportedFile[]
  /** Id of the release, for processes that run once per release. Default: the content of the process. */
  readonly release: string | undefined
  /** Whether the deployment has all processes: what else is deployed is removed. */
  readonly isWhole: boolean
}

/** How the command line chooses, describes and reaches an engine. */
export interface EngineType<E extends Engine = Engine> {
  /** Name on the command line: `prodserver deploy NAME`. */
  readonly name: string
  /** Name as the engine's makers write it. */
  readonly title: string
  /** The target that exports the plan for the engine. */
  readonly target: Target
  /** Options of the command line that say which cluster. The command line refuses the others. */
  readonly options: readonly ClusterOption[]
  /** Hint for a user who passed an option of another engine: how to name the cluster of this engine. */
  readonly foundBy: string
  /** Returns the text of `--dry-run`: everything that the cluster would get. */
  readonly preview: (deployment: Deployment) => string
  /** Finds the cluster. Sends nothing. @throws {ProdserverError} `E901` if there is no cluster to be found */
  readonly connect: (request: ConnectRequest) => Connection<E>
}

type ClusterOption = 'kubeconfig' | 'context' | 'namespace'

export interface ConnectRequest extends Readonly<Partial<Record<ClusterOption, string | undefined>>> {
  /** Name of the application. */
  readonly application: string
  readonly env: Env
  readonly cwd: string
}

export interface Connection<E extends Engine = Engine> {
  readonly engine: E
  /** Names the application and its cluster, for messages. */
  readonly where: string
}
