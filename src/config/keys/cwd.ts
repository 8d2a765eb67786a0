import { textLike } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, nonEmptyText } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    cwd: true
  }
}

export const declared = () =>
  declareKey({
    order: 60,
    schema: nonEmptyText,
    description: 'Working directory, relative to the project.',
    shownDefault: "the project's root",
    example: 'frontend',
  })

/** The full path of the working directory. */
export const planned: LaunchedKey<OutputOf<typeof declared>, string> = {
  label: 'directory',
  show: (cwd) => cwd,
  isAlwaysShown: true,
  plan: (_, { cwd }) => cwd,
  shape: textLike(/^\//),
  hash: 'always',
  isLaunched: true,
  explainFailure: (cwd) => `its working directory ${cwd} cannot be entered`,
}
