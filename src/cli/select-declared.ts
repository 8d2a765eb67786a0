import { basename } from 'node:path'
import { type Declarations, parseDeclarations } from '../config/declarations.ts'
import type { OverrideTexts } from '../config/overrides.ts'
import { EXIT, type Problem, ProdserverError, UsageError } from '../core/errors.ts'
import { isKindSelector, select } from '../core/selectors.ts'
import type { ProcessKind } from '../core/types.ts'
import { nearest } from '../core/values.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'

/** The declared processes, as far as selectors need them. */
interface Declared {
  readonly answer: SettingsAnswer
  /** Kinds of the processes, by name. Only a plan has them. */
  readonly kinds?: ReadonlyMap<string, ProcessKind> | undefined
  /** All commands, for one that was mistyped and taken for a process. */
  readonly commands: readonly { readonly name: string }[]
}

/** Says whether processes can only be selected after they were planned: a plan decides their kinds. */
export const needsPlan = (selectors: readonly string[]): boolean => selectors.some(isKindSelector)

/** Kinds of planned processes, by name. */
export const kindsOf = (
  processes: readonly { readonly name: string; readonly kind: ProcessKind }[],
): ReadonlyMap<string, ProcessKind> => new Map(processes.map(({ name, kind }) => [name, kind]))

/**
 * Applies selectors to the declared processes, which have no instances; undefined for all, when there are no selectors.
 *
 * @throws {ProdserverError} `E104` for each selector that selects nothing, with exit code 2; or the problems of the
 * declaration, when it has no processes.
 */
export function selectDeclared(
  selectors: readonly string[],
  { answer, kinds, commands }: Declared,
): readonly string[] | undefined {
  if (selectors.length === 0) return undefined
  const known = answer.order.map((process) => ({ process, kind: kinds?.get(process), instances: [] }))
  const problems: Problem[] = []
  const names = new Set<string>()
  for (const selector of selectors) {
    const found = select([selector], known)
    if ('unknown' in found) problems.push(notDeclared(selector, { answer, kinds, commands }))
    else for (const name of found.processes) names.add(name)
  }
  if (problems.length === 0) return [...names]
  requireDeclared(answer)
  throw new ProdserverError(problems, EXIT.usage)
}

/**
 * Names the process to become: the selected one, or the first enabled one.
 *
 * @throws {ProdserverError} as `selectDeclared`.
 * @throws {UsageError} for a pattern or a kind that selects several processes.
 */
export function selectOne(selector: string | undefined, declared: Declared, overrides: OverrideTexts): string {
  const { answer } = declared
  requireDeclared(answer)
  if (selector === undefined) {
    const { declarations } = parse(answer, overrides)
    return declarations.find(({ enabled }) => enabled !== false)?.name ?? (answer.order[0] as string)
  }
  const [name, ...others] = selectDeclared([selector], declared) as readonly [string, ...string[]]
  if (others.length === 0) return name
  throw new UsageError(
    `run becomes one process, and ${JSON.stringify(selector)} selects ${[name, ...others].join(', ')}.`,
  )
}

/** Names of the setting, the config file, or both. */
function declaringPlaces({ settings, config }: SettingsAnswer): readonly string[] {
  if (!config) return ['PRODUCTION_PROCESSES']
  const file = basename(config.file)
  return settings['PRODUCTION_PROCESSES'] === undefined ? [file] : ['PRODUCTION_PROCESSES', file]
}

function notDeclared(selector: string, { answer, commands }: Declared): Problem {
  const places = declaringPlaces(answer)
  const near = nearest(selector, answer.order)
  const command = nearest(
    selector,
    commands.map(({ name }) => name),
  )
  let hint = `Declared: ${answer.order.join(', ')}`
  if (near) hint = `Did you mean ${near}?`
  else if (command) hint = `Did you mean the command: prodserver ${command}?`
  return { id: 'E104', place: places[0] ?? '', message: notDeclaredMessage(selector, places.join(' or ')), hint }
}

function notDeclaredMessage(selector: string, place: string): string {
  if (isKindSelector(selector)) return `No process of kind '${selector}' found in ${place}.`
  if (/[*?]/.test(selector)) return `No process that matches '${selector}' found in ${place}.`
  return `Process '${selector}' not found in ${place}.`
}

/** @throws {ProdserverError} when nothing is declared: then that is the problem, and not a name. */
function requireDeclared(answer: SettingsAnswer): void {
  if (answer.order.length === 0) throw new ProdserverError(parse(answer).problems, EXIT.refused)
}

const parse = ({ settings, order, settingsModule, config }: SettingsAnswer, overrides?: OverrideTexts): Declarations =>
  parseDeclarations({
    processes: settings['PRODUCTION_PROCESSES'],
    defaults: settings['PRODUCTION_PROCESS_DEFAULTS'],
    order,
    settingsModule,
    config,
    overrides,
  })
