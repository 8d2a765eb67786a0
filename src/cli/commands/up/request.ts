import type { Project } from '../../../project/project.ts'
import type { Application } from '../../../supervisor/spec.ts'
import type { ContextOf } from '../../command.ts'
import type { FLAGS } from './flags.ts'

export type UpContext = ContextOf<typeof FLAGS>

/** Facts that every way of starting needs. */
export interface UpRequest {
  readonly context: UpContext
  readonly project: Project
  readonly stateDir: string
  /** @throws {ProdserverError} when the declaration has errors. */
  readonly readApplication: () => Promise<Application>
}
