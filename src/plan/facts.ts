import type { Declaration } from '../config/declarations.ts'
import type { DeploymentAnswer, PythonAnswer } from '../inspect/answers.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { Project } from '../project/project.ts'
import type { ProcessCommand } from './command.ts'
import type { Disk } from './disk.ts'
import type { PlannedEnvironment } from './environment.ts'
import type { MachineFacts } from './machine.ts'
import type { PlannedProcess } from './plan.ts'
import type { Resolution } from './resolve/resolve.ts'

/** Everything that a check may look at. */
export interface Facts {
  readonly project: Project
  /** The settings, and the files and lines in which values are written. */
  readonly answer: SettingsAnswer
  /** The answer of the project's interpreter; undefined if it was asked nothing. */
  readonly python: PythonAnswer | undefined
  /** All declared names, also of processes that could not be read. */
  readonly names: readonly string[]
  /** The processes to plan, in the order of the declaration. */
  readonly processes: readonly ProcessFacts[]
  /** Files of this machine. */
  readonly disk: Disk
  /** This machine; undefined if the command does not check it. */
  readonly machine?: MachineFacts | undefined
  /** The time of the check, in milliseconds since the epoch. */
  readonly nowMs: number
}

/** Facts for checks of this machine. */
export interface FactsHere extends Facts {
  readonly machine: MachineFacts
}

/** Facts for checks before a deployment. */
export interface FactsOfDeployment extends Facts {
  readonly deployment: DeploymentAnswer
}

/**
 * One declared process, with every stage of its planning: the backend (`found`), the application and the options
 * (`resolved`), the variables (`environment`), the command line (`command`) and the result (`planned`). A problem ends
 * the planning, and the stages after it are undefined.
 */
export interface ProcessFacts extends Resolution {
  readonly environment?: PlannedEnvironment | undefined
  readonly command?: ProcessCommand | undefined
  readonly planned?: PlannedProcess | undefined
}

/** Tells whether a process is in the plan: keys that were left out because of their problems keep it out. */
export const isComplete = ({ declaration }: { readonly declaration: Declaration }): boolean =>
  declaration.wrong.length === 0
