import type { Problem } from '../core/errors.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import { guardToken, reveal, type Value } from '../core/secret.ts'
import { placeWithin } from '../core/notation.ts'
import { type ImageLayout, inImage } from './containers/image-layout.ts'
import type { ExportedProcess } from './input.ts'
import { refusal } from './problems.ts'

export interface PrepareRequest {
  /** Command line of `prodserver run` up to the name of the process; undefined if the files start the program itself. */
  readonly via: { readonly argv: readonly string[]; readonly cwd: string } | undefined
  /** Paths in the image; undefined for files of this machine. */
  readonly image: ImageLayout | undefined
  /** Whether the user has named a source for the variables that no file may hold. */
  readonly hasEnvFrom: boolean
  /** Example of such a source, for a hint. */
  readonly envFromExample: string
}

interface Prepared {
  readonly process: ExportedProcess
  readonly problems: readonly Problem[]
}

/** Prepares a planned process for files: leaves out secrets, or refuses those that cannot be left out. */
export function prepareExport(planned: PlannedProcess, request: PrepareRequest): Prepared {
  const { via, image } = request
  const process = via ? startedByProdserver(planned, via) : startedByTarget(planned)
  const secrets = via ? [] : checkSecrets(planned, request)
  return { process: image ? inImage(process, image) : process, problems: [...secrets, ...checkText(process)] }
}

/** A process that prodserver starts gets its environment from the declaration. */
const startedByProdserver = (
  planned: PlannedProcess,
  { argv, cwd }: NonNullable<PrepareRequest['via']>,
): ExportedProcess => ({
  ...planned,
  argv: [...argv, planned.name],
  cwd,
  activated: null,
  env: {},
  secrets: [],
  collectsStatic: collectsStatic(planned),
})

function startedByTarget(planned: PlannedProcess): ExportedProcess {
  const variables = Object.entries(planned.env)
  const shown = variables.flatMap(([name, { value }]) =>
    isSecret(value) ? [] : [[name, value === null ? null : reveal(value)] as const],
  )
  return {
    ...planned,
    argv: planned.argv.map(shownWord),
    activated: planned.activated && planned.activated.map(shownWord),
    env: Object.fromEntries(shown),
    secrets: secretsOf(planned),
    collectsStatic: collectsStatic(planned),
  }
}

const collectsStatic = ({ run, argv }: PlannedProcess): boolean =>
  run !== 'always' && argv.some((word) => String(word) === 'collectstatic')

/** Returns the names of variables that may hold a secret. */
const secretsOf = ({ env }: PlannedProcess): readonly string[] =>
  Object.keys(env).filter((name) => isSecret(env[name]?.value ?? null))

function checkSecrets(planned: PlannedProcess, { hasEnvFrom, envFromExample }: PrepareRequest): readonly Problem[] {
  const words = planned.argv.flatMap((word, index) => (isSecret(word) ? [refuseWord(planned, index)] : []))
  const variables = hasEnvFrom ? [] : secretsOf(planned).map((name) => refuseVariable(planned, name, envFromExample))
  return [...words, ...checkProbes(planned), ...variables]
}

function checkProbes(planned: PlannedProcess): readonly Problem[] {
  const words = [planned.ready, planned.alive].flatMap((probe) => [probe?.http ?? '', probe?.exec ?? []]).flat()
  return words.every((word) => typeof guardToken(word) === 'string') ? [] : [refuseProbe(planned)]
}

const isSecret = (value: Value | null): boolean => value !== null && typeof value !== 'string'

/** Prints a word; a secret, which is refused, prints as dots. */
const shownWord = (word: Value): string => String(word)

function refuseWord({ name, place, argvFrom }: PlannedProcess, index: number): Problem {
  return {
    id: 'E801',
    place: argvFrom[index] ?? place,
    process: name,
    message:
      'It may be a secret, and no exported file holds one: a command line can be seen by everybody on the machine.',
    hint: 'Let the program read it from its environment or a file, or export with --run-via prodserver',
  }
}

function refuseProbe({ name, place }: PlannedProcess): Problem {
  return {
    id: 'E801',
    place: placeWithin(place, '["READY"]'),
    process: name,
    message: 'It may hold a secret, and no exported file holds one.',
    hint: 'Ask an address that needs no password',
  }
}

const NO_TEXT = 'It holds bytes that are no text, and no exported file can hold them.'

/** Refuses bytes that are not text. Python hands them on as lone surrogates, which no file can hold. */
function checkText(exported: ExportedProcess): readonly Problem[] {
  const variables = Object.entries(exported.env).filter(
    ([name, value]) => !name.isWellFormed() || value?.isWellFormed() === false,
  )
  const isText = exported.argv.every((word) => word.isWellFormed())
  const words = isText ? [] : [refusal(exported, '["ARGS"]', NO_TEXT)]
  return [...words, ...variables.map(([name]) => refusal(exported, `["ENV"][${JSON.stringify(name)}]`, NO_TEXT))]
}

function refuseVariable({ name, place, env }: PlannedProcess, variable: string, example: string): Problem {
  return {
    id: 'E801',
    place: env[variable]?.from ?? placeWithin(place, '["ENV"]'),
    process: name,
    message: `The value of ${variable} may be a secret, and no exported file holds one.`,
    hint: `Say where it is instead: --env-from ${example}`,
  }
}
