import { EXIT, type Problem, UsageError } from '../../../core/errors.ts'
import type { EngineType } from '../../../deploy/engine.ts'
import type { ExportRequest } from '../../../export/index.ts'
import type { ContextOf } from '../../command.ts'
import { exportInput, exportTo } from '../../export-input.ts'
import { runAction } from '../../follow-action.ts'
import type { FLAGS } from './flags.ts'

type Context = ContextOf<typeof FLAGS>

/** Brings the declaration into force on a cluster, and waits until its processes are ready. */
export async function execute(context: Context): Promise<number> {
  const { options, operands, io } = context
  const { ENGINES } = await import('../../../deploy/index.ts')
  const [name, ...selectors] = operands
  const type = findEngine(name, ENGINES)
  if (options.image === undefined)
    throw new UsageError('deploy needs the image that it is to run.', 'Such as: --image registry.example.com/shop:1.4')
  checkOptions(options, type)
  const request = await exportInput(context, type.target, selectors)
  const { files } = await exportTo(type.target, request, context, isUnknown(request))
  const deployment = { request, files, release: options.release, isWhole: selectors.length === 0 }
  if (options['dry-run']) {
    io.stdout.write(type.preview(deployment))
    return EXIT.done
  }
  const { connect } = await import('../../cluster.ts')
  const { engine } = connect(type, context)
  return runAction((signal) => engine.deploy(deployment, signal), context)
}

function findEngine(name: string | undefined, engines: readonly EngineType[]): EngineType {
  const type = engines.find((engine) => engine.name === name)
  if (type) return type
  const known = engines.map((engine) => engine.name).join(', ')
  throw new UsageError(
    name === undefined ? `deploy takes an engine: ${known}.` : `There is no engine ${JSON.stringify(name)}: ${known}.`,
    'prodserver deploy kubernetes --image shop:1.4',
  )
}

const CLUSTER_OPTIONS = ['kubeconfig', 'context', 'namespace'] as const

/** Refuses options that name the cluster of another engine. */
function checkOptions(options: Context['options'], { title, foundBy, options: known }: EngineType): void {
  const given = CLUSTER_OPTIONS.find((name) => options[name] !== undefined && !known.includes(name))
  if (given !== undefined) throw new UsageError(`--${given} means nothing for ${title}.`, foundBy)
}

/** Selects the warnings that hold for a deployment too: unlike a file, it knows which release was done. */
function isUnknown({ processes }: ExportRequest): (problem: Problem) => boolean {
  const known = new Set(processes.flatMap(({ run, from }) => (run === 'release' ? [from.run] : [])))
  return ({ place }) => !known.has(place)
}
