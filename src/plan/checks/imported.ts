import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from '../../backends/backend.ts'
import type { Problem } from '../../core/errors.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import type { Project } from '../../project/project.ts'
import { nearest } from '../../core/values.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { Application } from '../resolve/application.ts'
import type { PythonAnswer, PythonError } from '../../inspect/answers.ts'

/** An application that must be importable for a process to start. */
export interface ImportedApplication {
  /** As the program is given it: Celery's own forms, `module:attribute` for the others. */
  readonly path: string
  readonly kind: 'celery' | 'wsgi' | 'asgi'
  /** Where it was written. */
  readonly from: string
}

/** The application of a process; undefined where something is missing without which it cannot be imported anyway. */
export function importedApplication(
  backend: Backend,
  application: Application | Problem | undefined,
  { modules }: SettingsAnswer,
): ImportedApplication | undefined {
  const kind = backend.app
  if (!application || 'id' in application || !(kind === 'celery' || kind === 'wsgi' || kind === 'asgi'))
    return undefined
  if (!modules['django'] || !modules[backend.python?.module ?? 'django']) return undefined
  return { path: application.words[0] ?? '', kind, from: application.from }
}

/** What importing it has shown, if that was asked. */
export function checkImported(
  imported: ImportedApplication | undefined,
  python: PythonAnswer | undefined,
  project: Project,
): readonly Omit<Problem, 'process'>[] {
  const found = imported && python?.apps[imported.path]
  if (!found) return []
  const { path, kind, from } = imported
  const title = kind === 'celery' ? 'APP' : `The ${kind.toUpperCase()} application`
  if ('error' in found) {
    const why = [found.error.type, found.error.message.split('\n')[0]].filter(Boolean).join(': ')
    const message = `${title} cannot be imported: ${why}`
    return [{ id: 'E206', place: from, message, ...explain(imported, found.error, project) }]
  }
  if (found.type === undefined) return []
  const wanted = kind === 'celery' ? 'a Celery application' : `a ${kind.toUpperCase()} application`
  const message = `${title} is not ${wanted}: ${path} is of the type ${found.type}.`
  return [{ id: 'E206', place: from, message, hint: EXAMPLES[kind] }]
}

const EXAMPLES = {
  celery: 'Name the Celery application by its import path, such as "mysite.celery.app"',
  wsgi: 'Name what get_wsgi_application() returns by its import path, such as "mysite.wsgi.application"',
  asgi: 'Name what get_asgi_application() returns by its import path, such as "mysite.asgi.application"',
} as const

/** The next thing to do, and the lines of the project's own that had a part in it. */
function explain(
  { path, kind, from }: ImportedApplication,
  error: PythonError,
  { root, python }: Project,
): Pick<Problem, 'hint' | 'details'> {
  // A setting has a dot where the program is given a colon.
  if (error.near)
    return { hint: `Did you mean ${JSON.stringify(from.includes('[') ? error.near : dotted(error.near))}?` }
  if (error.import && error.module === path) return { hint: EXAMPLES[kind] }
  const details = error.text.trimEnd()
  if (error.type !== 'ModuleNotFoundError' || error.module === null)
    return { hint: `See it alone: ${quoteWord(python.path)} -c "import ${moduleOf(path, kind)}"`, details }
  const [top = '', ...rest] = error.module.split('.')
  const isOwn = existsSync(join(root, top))
  if (`${dotted(path)}.`.startsWith(`${error.module}.`)) {
    const near = nearestModule(root, error.module)
    if (near) return { hint: `Did you mean ${JSON.stringify(dotted(path).replace(error.module, near))}?` }
    const file = join(root, `${join(top, ...rest)}.py`)
    return { hint: isOwn ? `Create ${file}, or name the module that has it` : EXAMPLES[kind] }
  }
  return {
    hint: isOwn
      ? `Create it, or look: ls ${quoteWord(join(root, top, ...rest.slice(0, -1)))}`
      : `If it is a package of that name: ${python.install} ${top}`,
    details,
  }
}

/** A module of the project's own whose name is nearly that. */
function nearestModule(root: string, module: string): string | undefined {
  const parts = module.split('.')
  const folder = join(root, ...parts.slice(0, -1))
  const names = existsSync(folder) ? readdirSync(folder).map((name) => name.replace(/\.py$/, '')) : []
  const near = nearest(parts.at(-1) ?? '', names)
  return near && [...parts.slice(0, -1), near].join('.')
}

const dotted = (path: string): string => path.replace(':', '.')

/** `mysite.celery` of `mysite.celery.app`; Celery's other forms are modules by themselves. */
const moduleOf = (path: string, kind: ImportedApplication['kind']): string =>
  path.includes(':') ? (path.split(':')[0] as string) : kind === 'celery' ? path.replace(/\.[^.]*$/, '') : path
