import type { ProcessKind } from './types.ts'
import { nearest } from './values.ts'

/** A process that selectors can choose, as a whole or by its instances. */
export interface Selectable {
  readonly process: string
  /** Undefined when the source does not have it: log files name a process, but not its kind. */
  readonly kind?: ProcessKind | undefined
  /** Names of the instances that can be chosen one by one, such as `web.1`. */
  readonly instances: readonly string[]
}

/** What selectors chose, in the order in which they were typed. */
export interface Selection {
  /** Processes chosen as a whole. */
  readonly processes: readonly string[]
  /** Instances chosen one by one. None belongs to a process that was chosen as a whole. */
  readonly instances: readonly string[]
}

/** A selector that chooses nothing, and what to tell the user. */
interface UnknownSelector {
  readonly unknown: string
  readonly message: string
  readonly hint: string | undefined
}

/**
 * Applies selectors to processes: a name (`web`, `web.2`), a pattern over names with `*` and `?` (`work*`, `web.*`), or a
 * kind (`@worker`). No selectors choose everything.
 *
 * One selector that chooses nothing refuses the whole selection: a misspelt name must not become a smaller action.
 */
export function select(selectors: readonly string[], known: readonly Selectable[]): Selection | UnknownSelector {
  if (selectors.length === 0) return { processes: known.map(({ process }) => process), instances: [] }
  const whole = new Set<string>()
  const single = new Map<string, string>()
  for (const selector of selectors) {
    const processes = known.filter((one) => choosesProcess(selector, one))
    const instances = known.flatMap((one) =>
      one.instances.filter((name) => matches(selector, name)).map((name) => [name, one.process] as const),
    )
    if (processes.length === 0 && instances.length === 0) return explainUnknown(selector, known)
    for (const { process } of processes) whole.add(process)
    for (const [name, process] of instances) single.set(name, process)
  }
  const instances = [...single].filter(([, process]) => !whole.has(process)).map(([name]) => name)
  return { processes: [...whole], instances }
}

/** Lists all instances of a selection, those of whole processes included, in the order of `known`. */
export function instancesIn({ processes, instances }: Selection, known: readonly Selectable[]): readonly string[] {
  const whole = new Set(processes)
  const single = new Set(instances)
  return known.flatMap((one) => one.instances.filter((name) => whole.has(one.process) || single.has(name)))
}

/** One instance, or a process without one, as a filter sees it. */
export interface Candidate {
  readonly process: string
  readonly kind?: ProcessKind | undefined
  readonly instance: string
}

/** Makes a filter for instances that are not known yet, such as those that appear while a log is followed. */
export function createFilter(selectors: readonly string[]): (candidate: Candidate) => boolean {
  if (selectors.length === 0) return () => true
  return (candidate) =>
    selectors.some((selector) => choosesProcess(selector, candidate) || matches(selector, candidate.instance))
}

/** Message for an action that needs whole processes. */
export const singleInstances = (selector: string): string =>
  `${JSON.stringify(selector)} selects single instances, not a whole process.`

/** Says whether a selector chooses by kind. */
export const isKindSelector = (selector: string): boolean => selector.startsWith('@')

const choosesProcess = (selector: string, { process, kind }: Pick<Candidate, 'process' | 'kind'>): boolean =>
  isKindSelector(selector) ? kind === selector.slice(1) : matches(selector, process)

const isPattern = (selector: string): boolean => /[*?]/.test(selector)

function matches(selector: string, name: string): boolean {
  if (!isPattern(selector)) return selector === name
  const escaped = selector.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u').test(name)
}

function explainUnknown(selector: string, known: readonly Selectable[]): UnknownSelector {
  const kinds = [...new Set(known.flatMap(({ kind }) => (kind ? [`@${kind}`] : [])))]
  const processes = known.map(({ process }) => process)
  const near = nearest(selector, [...processes, ...known.flatMap(({ instances }) => instances), ...kinds])
  const list = processes.length > 0 ? `There are: ${processes.join(', ')}` : undefined
  return {
    unknown: selector,
    message: unknownMessage(selector, kinds.length > 0),
    hint: near === undefined ? list : `Did you mean ${near}?`,
  }
}

function unknownMessage(selector: string, hasKinds: boolean): string {
  const shown = JSON.stringify(selector)
  if (isPattern(selector)) return `No process or instance matches ${shown}.`
  if (!isKindSelector(selector)) return `There is no process or instance ${shown}.`
  return hasKinds
    ? `No process is of kind ${shown}.`
    : `The kinds of processes are not known here, so ${shown} selects none.`
}
