import { parseDeclarations } from '../config/declarations.ts'
import { isDictionary, nearest } from '../values.ts'
import { EXIT, ProdserverError } from '../errors.ts'
import type { SettingsAnswer } from '../source/django.ts'
import { COMMANDS } from './commands.ts'

/**
 * The name of a declared process; the first enabled one where none is given.
 *
 * @throws {ProdserverError} `E104` with exit code 2, or what is wrong with the setting as a whole.
 */
export function findName(given: string | undefined, answer: SettingsAnswer): string {
  const { order, settings } = answer
  checkSetting(answer)
  if (given === undefined)
    return order.find((name) => isEnabled(settings['PRODUCTION_PROCESSES'], name)) ?? (order[0] as string)
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
  checkSetting(answer)
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
    return {
      id: 'E104',
      place: 'PRODUCTION_PROCESSES',
      message: `Process '${name}' not found in PRODUCTION_PROCESSES.`,
      hint,
    } as const
  })
  throw new ProdserverError(problems, EXIT.usage)
}

/** Where nothing is declared at all, that is what is wrong, and not a name. */
function checkSetting({ order, settings, settingsModule }: SettingsAnswer): void {
  if (order.length > 0) return
  const processes = settings['PRODUCTION_PROCESSES']
  const { problems } = parseDeclarations({ processes, defaults: undefined, order, settingsModule })
  throw new ProdserverError(problems, EXIT.refused)
}

function isEnabled(processes: unknown, name: string): boolean {
  const declared = isDictionary(processes) ? processes[name] : undefined
  return !isDictionary(declared) || declared['ENABLED'] !== false
}
