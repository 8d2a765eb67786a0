import { locateProject, type Project } from '../project/project.ts'
import type { CommandContext } from './command.ts'
import type { ProjectOptions } from './option-sets.ts'

/** The part of a context that finds a project. */
export type ProjectContext = Pick<CommandContext<ProjectOptions>, 'io' | 'options'>

/** Finds the project that the command is about. Reads nothing of it. */
export const projectFromOptions = ({ io, options }: ProjectContext): Project =>
  locateProject({
    cwd: io.cwd,
    env: io.env,
    settings: options.settings,
    python: options.python,
    project: options.project,
    config: options.config,
    pythonPath: options.pythonpath,
  })
