import type { Application } from './resolve/application.ts'
import type { Option } from '../args/translate.ts'
import type { Backend, Workers } from '../backends/backend.ts'
import { modulesOf } from '../backends/index.ts'
import type { Declaration } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { ProcessKind } from '../core/types.ts'
import type { WrittenFile } from './checks/files.ts'
import type { MemoryAnswer, MemoryQuestion } from '../inspect/answers.ts'
import type { PlannedProcess } from './plan.ts'

/** What one process asks of the machine that it runs on. */
export interface Workload {
  readonly name: string
  readonly title: string
  readonly kind: ProcessKind
  readonly instances: number
  readonly workers: Workers
  /** Where their number is declared; null where the program chooses it. */
  readonly workersPlace: string | null
  readonly connectionsPlace: string
  /** What one process of it needs, measured; null where it cannot be. */
  readonly memory: MemoryAnswer | null
  readonly written: readonly WrittenFile[]
}

interface WorkloadInput {
  readonly declaration: Declaration
  readonly backend: Backend
  readonly planned: PlannedProcess
  readonly options: readonly Option[]
  readonly workers: Workers
  readonly written: readonly WrittenFile[]
  readonly memory: MemoryAnswer | null
}

export function workloadOf(input: WorkloadInput): Workload {
  const { declaration, backend, planned, options, workers, written, memory } = input
  const { name, title, kind, instances } = planned
  const placeOf = (option: string | undefined): string | null => {
    const declared = options.find((given) => (backend.options?.short?.[given.name] ?? given.name) === option)
    return declared ? declaration.placeOf('args', declared.key) : null
  }
  return {
    name,
    title,
    kind,
    instances,
    workers,
    workersPlace: placeOf(workers.option),
    connectionsPlace: placeOf(workers.connections?.option) ?? declaration.place,
    memory,
    written,
  }
}

/** What a process is to load while its memory is measured; undefined where it is not Python. */
export function memoryQuestion(
  { app = 'none', parser, python }: Backend,
  application: Application | Problem | undefined,
  { modules }: SettingsAnswer,
): MemoryQuestion | undefined {
  if (!python || (application && 'id' in application)) return undefined
  const isApplication = app === 'wsgi' || app === 'asgi' || app === 'celery'
  const path = application?.words[0]
  return {
    modules: modulesOf(python).filter((module) => modules[module]),
    parser: parser ?? null,
    app: isApplication && path !== undefined ? [path, app] : null,
  }
}
