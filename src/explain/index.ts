import { isError, type ProblemId, PROBLEMS } from '../core/errors.ts'
import type { Example, ProblemPage } from './page.ts'
import { BACKEND_PAGES } from './pages/backends.ts'
import { BETWEEN_PAGES } from './pages/between.ts'
import { CONFIG_FILE_PAGES } from './pages/config-file.ts'
import { DECLARATION_PAGES } from './pages/declaration.ts'
import { DEPLOYMENT_PAGES } from './pages/deployment.ts'
import { CLUSTER_PAGES, EXPORT_PAGES } from './pages/export.ts'
import { MACHINE_PAGES } from './pages/machine.ts'
import { OPTION_PAGES } from './pages/options.ts'
import { PROJECT_PAGES } from './pages/project.ts'
import { SUPERVISOR_PAGES } from './pages/supervisor.ts'
import { PRINTED } from './printed.ts'

export type { Example } from './page.ts'
export { PRINTED } from './printed.ts'

/** A page for each problem. */
export const PROBLEM_PAGES: Readonly<Partial<Record<ProblemId, ProblemPage>>> = {
  ...PROJECT_PAGES,
  ...CONFIG_FILE_PAGES,
  ...DECLARATION_PAGES,
  ...BACKEND_PAGES,
  ...OPTION_PAGES,
  ...BETWEEN_PAGES,
  ...MACHINE_PAGES,
  ...SUPERVISOR_PAGES,
  ...DEPLOYMENT_PAGES,
  ...EXPORT_PAGES,
  ...CLUSTER_PAGES,
}

/** The page as Markdown; undefined where there is none. `isSilenceable` is whether a person may know better. */
export function renderPage(id: ProblemId, isSilenceable: boolean): string | undefined {
  const page = PROBLEM_PAGES[id]
  if (!page) return undefined
  const { why, bad, good, needs, seen } = page
  const kind = isError({ id }) ? 'an error' : 'a warning'
  const output = seen ?? PRINTED[id] ?? ''
  const needed = needs === undefined ? '' : `It takes ${needs}.\n\n`
  const silence = isSilenceable
    ? `Who knows better silences it in the settings:\n\n${block('python', `SILENCED_SYSTEM_CHECKS = ["prodserver.${id}"]`)}`
    : `It is ${kind} that cannot be silenced: nothing can be planned, or done, without what is missing.\n`
  return [
    `# ${id}\n\n${PROBLEMS[id]}\n\n${why}\n`,
    `## Bad\n\n${needed}${renderExample(bad)}${block('console', `$ ${commandOf(bad)}\n${output}`)}`,
    `## Good\n\n${typeof good === 'string' ? block('sh', good) : `${renderExample(good)}${commandOf(good) === commandOf(bad) ? '' : block('sh', commandOf(good))}`}`,
    `## Silence\n\n${silence}`,
  ].join('\n')
}

export const commandOf = ({ command = 'prodserver check' }: Example): string => command

function renderExample({ settings, files = {} }: Example): string {
  const others = Object.entries(files).map(([path, text]) => renderFile(path, text))
  const own = settings === undefined ? '' : block('python', `# settings.py\n${settings}`)
  return own + others.join('')
}

function renderFile(path: string, text: string | null): string {
  if (text === null) return `There is no \`${path}\`.\n\n`
  if (text === '') return `\`${path}\` is there.\n\n`
  const language = LANGUAGES[path.slice(path.lastIndexOf('.'))] ?? 'text'
  return block(language, `${language === 'js' ? '//' : '#'} ${path}\n${text}`)
}

const LANGUAGES: Readonly<Record<string, string>> = { '.js': 'js', '.mjs': 'js', '.py': 'python', '.sh': 'sh' }

const block = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n\n`
