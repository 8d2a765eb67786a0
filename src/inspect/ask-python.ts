import { printDuration } from '../core/durations.ts'
import { toSettingsKey } from '../core/notation.ts'
import { compact } from '../core/lists.ts'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { runPython } from '../project/run-python.ts'
import type { Json } from '../core/types.ts'
import { projectProbe } from './programs.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { PythonAnswer, PythonOverride, PythonQuestion } from './answers.ts'

/** A value that `--set` or the environment gives, for a key or for a part of one. */
interface Override {
  readonly key: string
  readonly inner?: string | undefined
  readonly value?: Json | undefined
}

/** Writes overrides as the Python side applies them to a declaration in the settings. */
export const overridesForPython = (overrides: readonly Override[]): readonly PythonOverride[] =>
  overrides.map(({ key, inner, value }) => {
    const path = compact([toSettingsKey(key), inner])
    return value === undefined ? [path] : [path, value]
  })

/**
 * Asks the project's interpreter what only an import can tell. It takes as long as `django.setup()` does, so it is
 * asked only where the declaration makes it necessary.
 *
 * @throws {ProdserverError} `E011` when it gives no answer.
 */
export async function askPython(question: PythonQuestion): Promise<PythonAnswer> {
  const { classes, apps, options, deploy, memory, path } = question
  const isSetUp =
    Object.keys(classes).length > 0 ||
    deploy !== null ||
    Object.values(options).some(({ parser }) => parser.startsWith('django '))
  // Not an argument: options may be longer than a command line.
  const input = JSON.stringify({ classes, apps, options, deploy, memory, path, setup: isSetUp })
  const { answer, output, ended } = await runPython({
    python: question.python,
    args: [projectProbe, 'inspect'],
    input,
    cwd: question.root,
    env: question.env,
    timeoutMs: question.timeoutMs,
  })
  if (answer.endsWith('\n')) return JSON.parse(answer) as PythonAnswer
  const details = output.trimEnd().split('\n').slice(-12).join('\n')
  const how = ended.killed
    ? `did not finish in ${printDuration(question.timeoutMs)}`
    : `ended ${ended.signal ? `by ${ended.signal}` : `with exit code ${ended.code}`}`
  throw new ProdserverError(
    [
      {
        id: 'E011',
        place: question.python,
        message: `The interpreter ${how} while it imported ${[...new Set([...Object.keys(classes), ...Object.keys(apps), ...Object.keys(options)])].join(', ') || 'the project'}.`,
        hint: `Try it: ${quoteWord(question.python)} manage.py check`,
        details: details || undefined,
      },
    ],
    EXIT.failed,
  )
}
