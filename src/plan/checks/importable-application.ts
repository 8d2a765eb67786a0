import { join } from 'node:path'
import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { nearest } from '../../core/values.ts'
import type { ImportedKind, PythonError } from '../../inspect/answers.ts'
import type { Disk } from '../disk.ts'
import type { Facts } from '../facts.ts'
import { type ImportedApplication, importedApplication } from '../resolve/questions.ts'
import { type Check, eachResolved } from './check.ts'

/** The application of a process can be imported, and is one. */
export const importableApplication: Check = {
  when: 'always',
  find: eachResolved((process, facts) => {
    const imported = importedApplication(process, facts.answer)
    const found = imported && facts.python?.apps[imported.path]
    if (!found) return []
    const { path, kind, from } = imported
    const title = kind === 'celery' ? 'APP' : `The ${kind.toUpperCase()} application`
    if ('error' in found) {
      const why = [found.error.type, found.error.message.split('\n')[0]].filter(Boolean).join(': ')
      const message = `${title} cannot be imported: ${why}`
      return [{ id: 'E206', place: from, message, ...explain(imported, found.error, facts) }]
    }
    if (found.type === undefined) return []
    const wanted = kind === 'celery' ? 'a Celery application' : `a ${kind.toUpperCase()} application`
    const message = `${title} is not ${wanted}: ${path} is of the type ${found.type}.`
    return [{ id: 'E206', place: from, message, hint: EXAMPLES[kind] }]
  }),
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
  facts: Facts,
): Pick<Problem, 'hint' | 'details'> {
  // A setting has a dot where the program is given a colon.
  if (error.near)
    return { hint: `Did you mean ${JSON.stringify(from.includes('[') ? error.near : dotted(error.near))}?` }
  if (error.import && error.module === path) return { hint: EXAMPLES[kind] }
  const details = error.text.trimEnd()
  const { root, python } = facts.project
  if (error.type !== 'ModuleNotFoundError' || error.module === null)
    return { hint: `See it alone: ${quoteWord(python.path)} -c "import ${moduleOf(path, kind)}"`, details }
  if (`${dotted(path)}.`.startsWith(`${error.module}.`)) return { hint: hintForModule(path, kind, error.module, facts) }
  const [top = '', ...rest] = error.module.split('.')
  const isOwn = facts.disk.exists(join(root, top))
  const look = `Create it, or look: ls ${quoteWord(join(root, top, ...rest.slice(0, -1)))}`
  return { hint: isOwn ? look : `If it is a package of that name: ${python.install} ${top}`, details }
}

/** The hint for a module of the import path that does not exist. */
function hintForModule(path: string, kind: ImportedKind, missing: string, { project: { root }, disk }: Facts): string {
  const near = nearestModule(root, missing, disk)
  if (near) return `Did you mean ${JSON.stringify(dotted(path).replace(missing, near))}?`
  const parts = missing.split('.')
  if (!disk.exists(join(root, parts[0] ?? ''))) return EXAMPLES[kind]
  return `Create ${join(root, `${join(...parts)}.py`)}, or name the module that has it`
}

/** A module of the project with a similar name. */
function nearestModule(root: string, module: string, disk: Disk): string | undefined {
  const parts = module.split('.')
  const names = disk.namesIn(join(root, ...parts.slice(0, -1))).map((name) => name.replace(/\.py$/, ''))
  const near = nearest(parts.at(-1) ?? '', names)
  return near && [...parts.slice(0, -1), near].join('.')
}

const dotted = (path: string): string => path.replace(':', '.')

/** `mysite.celery` of `mysite.celery.app`; Celery's other forms are modules by themselves. */
function moduleOf(path: string, kind: ImportedKind): string {
  if (path.includes(':')) return path.split(':')[0] as string
  return kind === 'celery' ? path.replace(/\.[^.]*$/, '') : path
}
