import { basename } from 'node:path'
import { type Declarations, parseDeclarations } from '../config/declarations.ts'
import type { OverrideTexts } from '../config/overrides.ts'
import { nearest } from '../core/values.ts'
import { EXIT, type Problem, ProdserverError } from '../core/errors.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import { COMMANDS } from './commands.ts'

/**
 * The name of a declared process; the first enabled one where none is given.
 *
 * @throws {ProdserverError} `E104` with exit code 2, or what is wrong with the setting as a whole.
 */
export function findName(given: string | undefined, answer: SettingsAnswer, overrides: OverrideTexts): string {
  checkDeclared(answer)
  if (given === undefined) {
    const { declarations } = declared(answer, overrides)
    return declarations.find(({ enabled }) => enabled !== false)?.name ?? (answer.order[0] as string)
  }
  checkNames([given], answer)
  return given
}

/**
 * Refuses names that are not declared.
 *
 * @throws {ProdserverError} `E104` for each, with exit code 2, or what is wrong with the setting as a whole.
 */
export function checkNames(given: readonly string[], answer: SettingsAnswer): void {
  const { order } = answer
  const unknown = given.filter((name) => !order.includes(name))
  if (unknown.length === 0) return
  checkDeclared(answer)
  const problems = unknown.map((name) => {
    const near = nearest(name, order)
    const command = nearest(
      name,
      COMMANDS.map((command) => command.name),
    )
    const hint = near
      ? `Did you mean ${near}?`
      : command
        ? `Did you mean the command: prodserver ${command}?`
        : `Declared: ${order.join(', ')}`
    return notFound(name, hint, declaringPlaces(answer))
  })
  throw new ProdserverError(problems, EXIT.usage)
}

/** What declares the processes: the setting, the config file, or both. */
export const declaringPlaces = ({ settings, config }: SettingsAnswer): readonly string[] => [
  ...(config === undefined || settings['PRODUCTION_PROCESSES'] !== undefined ? ['PRODUCTION_PROCESSES'] : []),
  ...(config ? [basename(config.file)] : []),
]

export function notFound(name: string, hint: string, places: readonly string[]): Problem {
  const message = `Process '${name}' not found in ${places.join(' or ')}.`
  return { id: 'E104', place: places[0] ?? '', message, hint }
}

/** Where nothing is declared at all, that is what is wrong, and not a name. */
function checkDeclared(answer: SettingsAnswer): void {
  if (answer.order.length === 0) throw new ProdserverError(declared(answer).problems, EXIT.refused)
}

const declared = (
  { settings, order, settingsModule, config }: SettingsAnswer,
  overrides?: OverrideTexts,
): Declarations =>
  parseDeclarations({
    processes: settings['PRODUCTION_PROCESSES'],
    defaults: settings['PRODUCTION_PROCESS_DEFAULTS'],
    order,
    settingsModule,
    config,
    overrides,
  })
