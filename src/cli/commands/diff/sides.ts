import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EXIT, ProdserverError, UsageError } from '../../../core/errors.ts'
import { statOf } from '../../../core/files.ts'

/** One of the two that are compared. */
export type Side =
  | { readonly kind: 'settings'; readonly module: string }
  | { readonly kind: 'env'; readonly file: string }
  | { readonly kind: 'project'; readonly folder: string }
  | { readonly kind: 'git'; readonly revision: string; readonly module: string | undefined }

/** What a word can be told by. */
export interface SideFacts {
  readonly isModule: (name: string) => boolean
  readonly isFile: (path: string) => boolean
  readonly isFolder: (path: string) => boolean
  readonly isRevision: (name: string) => boolean
  /** Why nothing is a revision: there is no repository, or no git. */
  readonly whyNoRevision: () => string | undefined
}

const MODULE = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u

/**
 * What a word of `diff` stands for: a dotted name of a module, a file or a folder that exists, a revision of git, or one
 * of them that is said to be one, as in `git:main`.
 *
 * @throws {UsageError} where it is more than one of them, {@link ProdserverError} `E018` where it is none.
 */
export function chooseSide(text: string, facts: SideFacts): Side {
  const [, kind, rest = ''] = /^(settings|env|git):(.+)$/s.exec(text) ?? []
  if (kind === 'settings') return { kind, module: rest }
  if (kind === 'env') return { kind, file: rest }
  if (kind === 'git') return asRevision(rest)
  if (text.endsWith('.py') && facts.isFile(text)) {
    const dotted = text.replace(/^\.\/|\.py$/g, '').replaceAll('/', '.')
    throw new UsageError(`${text} is a file of Python; a settings module is written with dots.`, `Write ${dotted}.`)
  }
  const found = candidates(text, facts)
  if (found.length > 1) {
    const names = found.map((side) => SIDE_WORDS[side.kind])
    const written = found.map((side) => (side.kind === 'project' ? `./${text}` : `${side.kind}:${text}`))
    throw new UsageError(`${text} is ${names.join(' and ')}.`, `Write ${written.join(' or ')}.`)
  }
  if (found[0]) return found[0]
  // Nothing else looks like it; why it cannot be imported is said where it is tried.
  if (MODULE.test(text) && text.includes('.')) return { kind: 'settings', module: text }
  const why = facts.whyNoRevision()
  const message = `${text} is no settings module, no environment file, no folder and no git revision${why ? `: ${why}` : ''}.`
  throw new ProdserverError(
    [{ id: 'E018', place: text, message, hint: `Look: ls${why ? '' : ', or git log --oneline --all'}` }],
    EXIT.usage,
  )
}

const SIDE_WORDS: Readonly<Record<Side['kind'], string>> = {
  settings: 'a settings module',
  env: 'an environment file',
  project: 'a folder',
  git: 'a git revision',
}

function candidates(text: string, { isModule, isFile, isFolder, isRevision }: SideFacts): readonly Side[] {
  if (/^\.{1,2}([/\\]|$)/.test(text) && isFolder(text)) return [{ kind: 'project', folder: text }]
  const found: Side[] = []
  if (MODULE.test(text) && isModule(text)) found.push({ kind: 'settings', module: text })
  else if (isFolder(text)) found.push({ kind: 'project', folder: text })
  if (isFile(text)) found.push({ kind: 'env', file: text })
  const revision = asRevision(text)
  if (isRevision(revision.revision)) found.push(revision)
  return found
}

/** `main:mysite.production` is a settings module of a revision. */
function asRevision(text: string): Side & { readonly kind: 'git' } {
  const at = text.indexOf(':')
  return at < 0
    ? { kind: 'git', revision: text, module: undefined }
    : { kind: 'git', revision: text.slice(0, at), module: text.slice(at + 1) || undefined }
}

/** The facts of a machine: of files below one folder, and of modules below some. */
export const sideFacts = (
  cwd: string,
  importPath: readonly string[],
  ofGit: Pick<SideFacts, 'isRevision' | 'whyNoRevision'>,
): SideFacts => ({
  isModule: (name) =>
    importPath.some((folder) => {
      const path = join(folder, ...name.split('.'))
      return existsSync(`${path}.py`) || existsSync(join(path, '__init__.py'))
    }),
  isFile: (path) => statOf(resolve(cwd, path))?.isFile() ?? false,
  isFolder: (path) => statOf(resolve(cwd, path))?.isDirectory() ?? false,
  ...ofGit,
})
