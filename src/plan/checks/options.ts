import type { Option, Translation } from '../../args/translate.ts'
import type { OptionGrammar } from '../../args/grammar.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import { isSecretName } from '../../core/secret.ts'
import type { Project } from '../../project/project.ts'
import { isDictionary, nearest } from '../../core/values.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { OptionAnswer, OptionQuestion, PythonFailure } from '../../inspect/answers.ts'

/** What the program is to be asked; undefined where there is no program to ask, or nothing to ask of it. */
export function optionQuestion(backend: Backend, { options }: Translation): OptionQuestion | undefined {
  const { parser, python } = backend
  const asked = options.filter(({ tokens }) => tokens.length > 0)
  // gunicorn has options of a file and of the environment as well.
  const hasOthers = parser?.startsWith('gunicorn ') === true
  if (parser === undefined || !python || (asked.length === 0 && !hasOthers)) return undefined
  return {
    parser,
    package: distributionOf(python.package),
    options: asked.map(({ key, tokens }) => [key, tokens]),
    modules: asked.flatMap((option) => addonsOf(option, backend).map(({ module }) => module)),
  }
}

export interface CheckedProcess {
  readonly declaration: Declaration
  readonly backend: Backend
  readonly project: Project
  /** What it runs, as words. */
  readonly app: readonly string[]
}

/** What the installed program, in its own version, has to say of the options. */
export function checkOptions(
  { options }: Translation,
  answer: OptionAnswer | PythonFailure | undefined,
  { declaration, backend, project, app }: CheckedProcess,
): readonly Omit<Problem, 'process'>[] {
  if (!answer) return []
  if ('error' in answer) {
    const message = `The options were not checked: ${backend.title} cannot be asked. ${answer.error.type}: ${answer.error.message.split('\n')[0]}`
    return [{ id: 'W303', place: declaration.placeOf('args'), message, details: answer.error.text.trimEnd() }]
  }
  const title = [backend.title, answer.version].filter(Boolean).join(' ')
  const lacking = options.filter((option) =>
    addonsOf(option, backend).some(({ module }) => answer.missing.includes(module)),
  )
  const isSaid = (key: string | null): boolean => lacking.some((option) => option.key === key)
  const refused = answer.refused
    .filter(({ key }) => !isSaid(key))
    .map(({ key, what, message }): Omit<Problem, 'process'> => {
      if (key === null)
        return {
          id: 'E304',
          place: declaration.place,
          message: `${title} does not start like this: ${sayWhy(message)}`,
        }
      const place = placeOfOption(declaration, key)
      if (what === 'unknown') {
        const near = nearest(key.replaceAll('_', '-'), [
          ...answer.names,
          ...Object.keys(backend.options?.aliases ?? {}),
        ])
        const hint =
          near === undefined ? `Look: ${helpOf(backend, project, app)}` : `Did you mean ${JSON.stringify(near)}?`
        return { id: 'E303', place, message: `${title} has no option ${JSON.stringify(key)}.`, hint }
      }
      // The program's own words repeat the value.
      const why = isSecretName(key) ? 'the value is not one that it takes.' : sayWhy(message)
      return { id: 'E304', place, message: `${title} does not take ${JSON.stringify(key)} like this: ${why}` }
    })
  const missing = lacking.flatMap((option) =>
    addonsOf(option, backend)
      .filter(({ module }) => answer.missing.includes(module))
      .map(({ package: name }): Omit<Problem, 'process'> => {
        const place = placeOfOption(declaration, option.key)
        const message = `${JSON.stringify(option.values.at(-1))} needs ${name}, which is not installed in ${project.python.path}.`
        return { id: 'E305', place, message, hint: `${project.python.install} ${name}` }
      }),
  )
  const deprecated = answer.deprecated.map(({ key, message }): Omit<Problem, 'process'> => {
    const text = `${title} takes ${JSON.stringify(key)}, and is to lose it: ${sayWhy(message)}`
    return {
      id: 'W307',
      place: placeOfOption(declaration, key),
      message: text,
      hint: `Look: ${helpOf(backend, project, app)}`,
    }
  })
  return [...refused, ...deprecated, ...missing]
}

/** Where it is declared; what a class of the project's own has added is its doing. */
function placeOfOption({ args, placeOf }: Declaration, key: string): string {
  const isAdded = isDictionary(args) && !Object.keys(args).some((declared) => same(declared, key))
  return isAdded ? placeOf('backend') : placeOf('args', key)
}

const same = (a: string, b: string): boolean => a.replaceAll('_', '-') === b.replaceAll('_', '-')

/** Options that are given by two of their names: the last one wins, whichever was meant. */
export function checkTwice(
  { options }: Translation,
  grammar: OptionGrammar,
  declaration: Declaration,
): readonly Omit<Problem, 'process'>[] {
  const first = new Map<string, Option>()
  return options.flatMap((option): Omit<Problem, 'process'>[] => {
    const name = (grammar.short?.[option.name] ?? option.name).replace(/^no-/, '')
    const other = first.get(name)
    if (!other) first.set(name, option)
    if (!other || other.key === option.key || takesMany(name, grammar)) return []
    const message = `${JSON.stringify(option.key)} and ${JSON.stringify(other.key)} are the same option, --${name}.`
    return [{ id: 'W304', place: declaration.placeOf('args', option.key), message, hint: 'Keep one of them' }]
  })
}

const takesMany = (name: string, { repeatable, separators }: OptionGrammar): boolean =>
  repeatable?.includes(name) === true || separators?.[name] !== undefined

const distributionOf = (packages: string): string => packages.split(' ').at(-1) as string

const addonsOf = (
  option: Option,
  { addons = {}, options = {} }: Backend,
): readonly { module: string; package: string }[] =>
  option.values.flatMap((value) => addons[options.short?.[option.name] ?? option.name]?.[value] ?? [])

function helpOf({ command }: Backend, { python }: Project, app: readonly string[]): string {
  const { args } = command({ app, options: [], extra: ['--help'], django: [] })
  return [python.path, ...args].map(quoteWord).join(' ')
}

/** Without the name of the option, which is said already; with a full stop. */
const sayWhy = (message: string): string =>
  SWITCH.test(message)
    ? 'it takes no value, only True or False.'
    : `${message.replace(/^argument [^:]+: /, '').replace(/[\s:.]+$/, '')}.`

/** As argparse, click, and getopt in Python and in C say it. */
const SWITCH = /ignored explicit argument|does not take a value|must not have an argument|doesn't allow an argument/
