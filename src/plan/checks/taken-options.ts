import type { Option } from '../../args/translate.ts'
import type { Declaration } from '../../config/declarations.ts'
import { isSecretName } from '../../core/secret.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { isDictionary, nearest } from '../../core/values.ts'
import type { OptionAnswer } from '../../inspect/answers.ts'
import type { Project } from '../../project/project.ts'
import { addonsOf } from '../resolve/questions.ts'
import type { ResolvedProcess } from '../resolve/resolved-process.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

/** The installed program, in its own version, takes the options. Only `check` without `--quick` asks the program. */
export const takenOptions: Check = {
  when: 'always',
  find: eachResolved((resolved, { python, project }) => {
    const answer = python?.options[resolved.declaration.name]
    if (!answer) return []
    const { declaration, backend, translation } = resolved
    if ('error' in answer) {
      const message = `The options were not checked: ${backend.title} cannot be asked. ${answer.error.type}: ${answer.error.message.split('\n')[0]}`
      return [{ id: 'W303', place: declaration.placeOf('args'), message, details: answer.error.text.trimEnd() }]
    }
    const lacking = translation.options.filter((option) => missingAddons(option, resolved, answer).length > 0)
    // An option whose package is missing has a problem already.
    const refused = answer.refused.filter(({ key }) => lacking.every((option) => option.key !== key))
    return [
      ...refused.map((each) => explainRefused(each, answer, resolved, project)),
      ...answer.deprecated.map((each) => explainDeprecated(each, answer, resolved, project)),
      ...lacking.flatMap((option) => explainMissing(option, answer, resolved, project)),
    ]
  }),
}

const titleOf = ({ backend }: ResolvedProcess, { version }: OptionAnswer): string =>
  [backend.title, version].filter(Boolean).join(' ')

function explainRefused(
  { key, what, message }: OptionAnswer['refused'][number],
  answer: OptionAnswer,
  resolved: ResolvedProcess,
  project: Project,
): ProcessProblem {
  const { declaration, backend } = resolved
  const title = titleOf(resolved, answer)
  if (key === null)
    return { id: 'E304', place: declaration.place, message: `${title} does not start like this: ${sayWhy(message)}` }
  const place = placeOfOption(declaration, key)
  if (what === 'unknown') {
    const known = [...answer.names, ...Object.keys(backend.options?.aliases ?? {})]
    const near = nearest(key.replaceAll('_', '-'), known)
    const hint = near === undefined ? `Look: ${helpOf(resolved, project)}` : `Did you mean ${JSON.stringify(near)}?`
    return { id: 'E303', place, message: `${title} has no option ${JSON.stringify(key)}.`, hint }
  }
  // The program's own words repeat the value.
  const why = isSecretName(key) ? 'the value is not one that it takes.' : sayWhy(message)
  return { id: 'E304', place, message: `${title} does not take ${JSON.stringify(key)} like this: ${why}` }
}

function explainDeprecated(
  { key, message }: OptionAnswer['deprecated'][number],
  answer: OptionAnswer,
  resolved: ResolvedProcess,
  project: Project,
): ProcessProblem {
  const text = `${titleOf(resolved, answer)} takes ${JSON.stringify(key)}, and is to lose it: ${sayWhy(message)}`
  const place = placeOfOption(resolved.declaration, key)
  return { id: 'W307', place, message: text, hint: `Look: ${helpOf(resolved, project)}` }
}

function explainMissing(
  option: Option,
  answer: OptionAnswer,
  resolved: ResolvedProcess,
  { python }: Project,
): readonly ProcessProblem[] {
  const place = placeOfOption(resolved.declaration, option.key)
  return missingAddons(option, resolved, answer).map(({ package: name }) => {
    const message = `${JSON.stringify(option.values.at(-1))} needs ${name}, which is not installed in ${python.path}.`
    return { id: 'E305', place, message, hint: `${python.install} ${name}` }
  })
}

const missingAddons = (option: Option, { backend }: ResolvedProcess, { missing }: OptionAnswer) =>
  addonsOf(option, backend).filter(({ module }) => missing.includes(module))

/** Where it is declared; what a class of the project's own has added is its doing. */
function placeOfOption({ args, placeOf }: Declaration, key: string): string {
  const isAdded = isDictionary(args) && !Object.keys(args).some((declared) => same(declared, key))
  return isAdded ? placeOf('backend') : placeOf('args', key)
}

const same = (a: string, b: string): boolean => a.replaceAll('_', '-') === b.replaceAll('_', '-')

function helpOf({ backend, application }: ResolvedProcess, { python }: Project): string {
  const app = application.value?.words ?? []
  const { args } = backend.command({ app, options: [], extra: ['--help'], django: [] })
  return [python.path, ...args].map(quoteWord).join(' ')
}

/** Without the name of the option, which is said already; with a full stop. */
const sayWhy = (message: string): string =>
  SWITCH.test(message)
    ? 'it takes no value, only True or False.'
    : `${message.replace(/^argument [^:]+: /, '').replace(/[\s:.]+$/, '')}.`

/** As argparse, click, and getopt in Python and in C say it. */
const SWITCH = /ignored explicit argument|does not take a value|must not have an argument|doesn't allow an argument/
