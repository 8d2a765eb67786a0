import { isError, type Problem, PROBLEMS } from '../../core/errors.ts'

/** Forms of the list of problems for other programs. */
type ProblemFormat = 'json' | 'github' | 'sarif'

interface FormatContext {
  readonly version: string
  /** Files are named from here where they lie below it: a CI system shows them in its diff. */
  readonly cwd: string
}

/** The list in one of the forms that are not for people. */
export function formatProblems(format: ProblemFormat, problems: readonly Problem[], context: FormatContext): string {
  switch (format) {
    case 'json':
      return problems.map((problem) => `${JSON.stringify(problem)}\n`).join('')
    case 'github':
      return problems.map((problem) => githubAnnotation(problem, context)).join('')
    case 'sarif':
      return `${JSON.stringify(sarif(problems, context), null, 2)}\n`
    default:
      return format satisfies never
  }
}

/** The file and the line of a problem, where they are known. */
function placeIn(
  { at }: Problem,
  { cwd }: FormatContext,
): { readonly file: string; readonly line: number } | undefined {
  const [, path, line] = /^(.*):(\d+)$/.exec(at ?? '') ?? []
  if (path === undefined) return undefined
  return { file: path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path, line: Number(line) }
}

const textOf = ({ place, message, hint }: Problem): string => `${place}: ${message}${hint ? ` → ${hint}` : ''}`

/** A workflow command, as GitHub documents it: https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
function githubAnnotation(problem: Problem, context: FormatContext): string {
  const found = placeIn(problem, context)
  const properties = { ...found, title: problem.id }
  const words = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  return `::${isError(problem) ? 'error' : 'warning'} ${words.join(',')}::${escapeData(textOf(problem))}\n`
}

const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** The Static Analysis Results Interchange Format, version 2.1.0. */
function sarif(problems: readonly Problem[], context: FormatContext): object {
  const ids = [...new Set(problems.map(({ id }) => id))]
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'prodserver',
            version: context.version,
            rules: ids.map((id) => ({ id, shortDescription: { text: PROBLEMS[id] } })),
          },
        },
        results: problems.map((problem) => sarifResult(problem, ids.indexOf(problem.id), context)),
      },
    ],
  }
}

function sarifResult(problem: Problem, ruleIndex: number, context: FormatContext): object {
  const result = {
    ruleId: problem.id,
    ruleIndex,
    level: isError(problem) ? 'error' : 'warning',
    message: { text: textOf(problem) },
  }
  const found = placeIn(problem, context)
  if (!found) return result
  const artifactLocation = { uri: encodeURI(found.file) }
  const region = { startLine: found.line }
  return { ...result, locations: [{ physicalLocation: { artifactLocation, region } }] }
}
