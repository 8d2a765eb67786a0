import type { Problem } from '../core/errors.ts'
import { guardToken, reveal, type Value } from '../core/secret.ts'
import type { PlannedProbe, PlannedProcess } from '../plan/plan.ts'
import { type ImageLayout, inImage } from './containers/image-layout.ts'
import type { ExportedProcess } from './input.ts'
import { keyLocation, refuse, refuseVariable } from './problems.ts'

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
  const collectsStatic = planned.run !== 'always' && planned.argv.some((word) => String(word) === 'collectstatic')
  const shown = via ? viaProdserver(planned, via) : withoutSecrets(planned)
  const process: ExportedProcess = { ...planned, ...shown, collectsStatic }
  const secrets = via ? [] : checkSecrets(planned, request)
  return { process: image ? inImage(process, image) : process, problems: [...secrets, ...checkText(process)] }
}

type Shown = Pick<ExportedProcess, 'argv' | 'cwd' | 'activated' | 'env'>

/** A process that prodserver starts gets its environment from the declaration. */
const viaProdserver = ({ name }: PlannedProcess, { argv, cwd }: NonNullable<PrepareRequest['via']>): Shown => ({
  argv: [...argv, name],
  cwd,
  activated: null,
  env: {},
})

/** A secret in a command line, which is refused, is shown as dots. */
function withoutSecrets({ argv, cwd, activated, env }: PlannedProcess): Shown {
  const shown = Object.entries(env).filter(([, { value }]) => !isSecret(value))
  return {
    argv: argv.map(String),
    cwd,
    activated: activated && activated.map(String),
    env: Object.fromEntries(shown.map(([name, { value }]) => [name, value && reveal(value)])),
  }
}

const isSecret = (value: Value | null): boolean => value !== null && typeof value !== 'string'

const secretsOf = (env: PlannedProcess['env']): readonly string[] =>
  Object.entries(env).flatMap(([name, { value }]) => (isSecret(value) ? [name] : []))

/** Refuses secrets, except for variables that the user has named a source for. */
function* checkSecrets(planned: PlannedProcess, { hasEnvFrom, envFromExample }: PrepareRequest): Generator<Problem> {
  const { name, place, argv, argvFrom, env } = planned
  const refuseSecret = (at: string | undefined, what: string, hint: string): Problem => ({
    id: 'E801',
    place: at ?? place,
    process: name,
    message: `${what} may be a secret, and an exported file contains no secrets.`,
    hint,
  })
  const otherwise = 'Let the program read it from its environment or a file, or export with --run-via prodserver'
  for (const [index, word] of argv.entries())
    if (isSecret(word)) yield refuseSecret(argvFrom[index], 'A value of the command line', otherwise)
  for (const key of ['ready', 'alive'] as const)
    if (mayHoldSecret(planned[key]))
      yield refuseSecret(keyLocation(planned, key), 'A part of the probe', 'Probe an address that needs no password')
  if (hasEnvFrom) return
  for (const variable of secretsOf(env))
    yield refuseSecret(env[variable]?.from, `The value of ${variable}`, `Name its source: --env-from ${envFromExample}`)
}

const mayHoldSecret = (probe: PlannedProbe | null): boolean =>
  [probe?.http ?? '', probe?.exec ?? []].flat().some((word) => typeof guardToken(word) !== 'string')

const NO_TEXT = 'This value has bytes that are not UTF-8 text, and an exported file cannot hold them.'

/** Refuses bytes that are not text. Python hands them on as lone surrogates, which no file can hold. */
function* checkText(exported: ExportedProcess): Generator<Problem> {
  if (!exported.argv.every((word) => word.isWellFormed())) yield refuse(exported, 'args', NO_TEXT)
  for (const [name, value] of Object.entries(exported.env))
    if (!name.isWellFormed() || value?.isWellFormed() === false) yield refuseVariable(exported, name, NO_TEXT)
}
