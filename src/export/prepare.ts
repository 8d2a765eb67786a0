import type { Problem } from '../core/errors.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import { guardToken, reveal, type Value } from '../core/secret.ts'
import { placeWithin } from '../core/notation.ts'
import { type ImageLayout, inImage } from './containers/image-layout.ts'
import type { ExportedProcess } from './input.ts'
import { refusal } from './problems.ts'

export interface PrepareRequest {
  /** How prodserver is started where that is what the files start, up to the process's name; undefined for the program itself. */
  readonly via: { readonly argv: readonly string[]; readonly cwd: string } | undefined
  /** Where the files are for an image, in which the project and the interpreters lie elsewhere. */
  readonly image: ImageLayout | undefined
  /** Whether there is a place for the variables that no file may hold. */
  readonly hasEnvFrom: boolean
  /** How a hint names such a place. */
  readonly envFromExample: string
}

interface Prepared {
  readonly process: ExportedProcess
  readonly problems: readonly Problem[]
}

/** A planned process as files may show it: what may be a secret is left out of it, or refused where it cannot be. */
export function prepareExport(planned: PlannedProcess, request: PrepareRequest): Prepared {
  const { via, image, hasEnvFrom, envFromExample } = request
  const { name } = planned
  // What prodserver starts it gives its environment as well, from the declaration.
  const variables = via ? [] : Object.entries(planned.env)
  const secrets = variables.flatMap(([variable, { value }]) => (isSecret(value) ? [variable] : []))
  const inWords = via ? [] : planned.argv.flatMap((word, index) => (isSecret(word) ? [refuseWord(planned, index)] : []))
  const process: ExportedProcess = {
    ...planned,
    argv: via ? [...via.argv, name] : planned.argv.map(shownWord),
    cwd: via?.cwd ?? planned.cwd,
    activated: via || !planned.activated ? null : planned.activated.map(shownWord),
    env: Object.fromEntries(
      variables.flatMap(([variable, { value }]) =>
        isSecret(value) ? [] : [[variable, value === null ? null : reveal(value)]],
      ),
    ),
    secrets,
    collectsStatic: planned.run !== 'always' && planned.argv.some((word) => String(word) === 'collectstatic'),
  }
  const inProbes = [planned.ready, planned.alive].flatMap((probe) => [...(probe?.exec ?? []), probe?.http ?? ''])
  const unplaced = hasEnvFrom ? [] : secrets.map((variable) => refuseVariable(planned, variable, envFromExample))
  return {
    process: image ? inImage(process, image) : process,
    problems: [
      ...inWords,
      ...(via || inProbes.every((word) => typeof guardToken(word) === 'string') ? [] : [refuseProbe(planned)]),
      ...unplaced,
      ...malformed(process),
    ],
  }
}

const isSecret = (value: Value | null): boolean => value !== null && typeof value !== 'string'

/** A refused secret shows as it does everywhere: hidden. */
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

/** Bytes that Python could not read as text come as halves of characters, which no file can hold. */
function malformed(exported: ExportedProcess): readonly Problem[] {
  const message = 'It holds bytes that are no text, and no exported file can hold them.'
  return [
    ...(exported.argv.every((word) => word.isWellFormed()) ? [] : [refusal(exported, '["ARGS"]', message)]),
    ...Object.entries(exported.env)
      .filter(([name, value]) => !name.isWellFormed() || value?.isWellFormed() === false)
      .map(([name]) => refusal(exported, `["ENV"][${JSON.stringify(name)}]`, message)),
  ]
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
