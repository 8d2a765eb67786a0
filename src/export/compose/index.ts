import { runsToCompletion } from '../../core/completion.ts'
import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { dockerfile, lockOf } from '../containers/dockerfile.ts'
import { checkReachable } from '../containers/ports.ts'
import { exportedDependencies } from '../dependencies.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { checkNames } from '../names.ts'
import type { ExportedFile, Target } from '../target.ts'
import { composeFile } from './file.ts'
import { hasDockerfile, service } from './service.ts'
import { SUPPORT } from './support.ts'
import { COMPOSE_NAMES, serviceName } from './values.ts'

/** A file of the Compose specification, with a service for each process, and a Dockerfile if the project has none. */
export const compose: Target = {
  name: 'compose',
  title: 'Compose',
  runsIn: 'image',
  envFromExample: '.env.production',
  options: ['user', 'image', 'env-from'],
  support: SUPPORT,
  check,
  render,
  next,
}

function* check({ processes, found }: ExportInput): Generator<Problem> {
  yield* checkNames(processes, COMPOSE_NAMES)
  for (const exported of processes) yield* checkReachable(exported)
  if (hasDockerfile(found) || lockOf(found) !== undefined) return
  yield {
    id: 'W801',
    place: 'Dockerfile',
    message: 'The project has no file of requirements, so the image would have no Django.',
    hint: 'python -m pip freeze > requirements.txt, and export again',
  }
}

function render(input: ExportInput): readonly ExportedFile[] {
  const services = input.processes.map((exported) => [serviceName(exported), service(exported, input)] as const)
  const files = [composeFile(services, input)]
  return hasDockerfile(input.found) ? files : [...files, ...dockerfile(input)]
}

function next(folder: string, { processes }: ExportInput): readonly string[] {
  const wait = canWait(processes) ? ' --wait' : ''
  return ['config --quiet', `up --build --detach${wait}`, 'logs --follow'].map(
    (command) => `docker compose --file ${quoteWord(`${folder}/compose.yaml`)} ${command}`,
  )
}

/** Compose takes the end of a service for a failure, unless another service waits for that end. */
const canWait = (all: readonly ExportedProcess[]): boolean =>
  all
    .filter((exported) => runsToCompletion(exported) && exported.schedule === null)
    .every(({ name }) => all.some((other) => exportedDependencies(other, all)[name] === 'completed'))
