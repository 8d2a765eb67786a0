import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { failure } from '../core/errors.ts'
import { namesIn } from '../core/files.ts'
import { firstLine } from '../core/lines.ts'
import type { Result } from '../core/result.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { Env } from '../core/types.ts'

interface Repository {
  /** Top folder, without symbolic links. */
  readonly top: string
  /** Folder that all working trees of the repository share. */
  readonly common: string
}

/** The files of a revision in a temporary folder. */
interface Checkout {
  /** Folder that stands for the top of the repository. */
  readonly tree: string
  /** Folder that stands for the project. */
  readonly root: string
  /** Removes the files. May be called again. */
  readonly remove: () => void
}

function git(folder: string, env: Env, ...args: readonly string[]) {
  // A hook of git gets variables of its own repository, which may be another one.
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, GIT_PREFIX: _prefix, ...own } = env
  return spawnSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    // git must not prompt, and must not fetch large files: settings are not among them.
    env: { ...own, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 ** 2,
  })
}

/** Finds the full name of a commit; undefined if git does not know the commit, or is not installed. */
export function findCommit(root: string, env: Env, name: string): string | undefined {
  if (name.startsWith('-')) return undefined
  const { status, stdout } = git(root, env, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`)
  return status === 0 ? stdout.trim() : undefined
}

/** Finds the git repository that a project is in. The problem is `E018`. */
export function findRepository(root: string, env: Env, place: string): Result<Repository> {
  const { error, status, stdout, stderr } = git(root, env, 'rev-parse', '--show-toplevel', '--git-common-dir')
  if (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const message = `git cannot be started: ${isMissing ? 'it is not installed' : error.message}.`
    return { problem: { id: 'E018', place, message, hint: 'Look: git --version' } }
  }
  const [top, common] = stdout.split('\n')
  if (status === 0 && top && common)
    return { value: { top: realpathSync(top), common: realpathSync(resolve(root, common)) } }
  const isNone = stderr.includes('not a git repository')
  const unknown = `git cannot tell the repository of ${root}: ${errorOf(stderr)}.`
  const message = isNone ? `${root} is in no git repository.` : unknown
  return { problem: { id: 'E018', place, message, hint: `Look: git -C ${quoteWord(root)} status` } }
}

const errorOf = (stderr: string): string => firstLine(stderr).replace(/^(fatal|error): |\.$/g, '')

/**
 * Writes the files of a commit to a temporary folder that only its owner can read.
 *
 * @throws {ProdserverError} `E018`.
 */
export function checkOut(
  root: string,
  env: Env,
  { repository, commit, place }: { readonly repository: Repository; readonly commit: string; readonly place: string },
): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'prodserver-revision-')))
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  const tree = join(folder, 'tree')
  try {
    makeWorkingTree(join(folder, 'git'), tree, repository, commit)
    for (const args of ['read-tree HEAD', 'checkout-index --all --force --quiet']) {
      const { status, stderr } = git(tree, env, ...args.split(' '))
      const message = `The files of the revision cannot be had: ${errorOf(stderr)}.`
      if (status !== 0) throw failure({ id: 'E018', place, message, hint: 'Look: git fsck' })
    }
    const within = relative(repository.top, realpathSync(root))
    if (!existsSync(join(tree, within))) {
      const message = `The revision has no folder ${within}, which the project is in.`
      const hint = `Look: git ls-tree --name-only ${commit.slice(0, 12)}`
      throw failure({ id: 'E018', place, message, hint })
    }
    for (const inner of new Set(['', within])) linkUntracked(join(repository.top, inner), join(tree, inner))
    return { tree, root: join(tree, within), remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** Makes a working tree by hand: git writes nothing to the repository, and settings that ask git get this revision. */
function makeWorkingTree(own: string, tree: string, { common }: Repository, commit: string): void {
  mkdirSync(own)
  mkdirSync(tree)
  writeFileSync(join(own, 'HEAD'), `${commit}\n`)
  writeFileSync(join(own, 'commondir'), `${common}\n`)
  writeFileSync(join(tree, '.git'), `gitdir: ${own}\n`)
}

/** Files that settings may need and repositories do not have. Those of today stand in. */
const UNTRACKED = /^(\.env(\..+)?|node_modules)$/

function linkUntracked(from: string, to: string): void {
  for (const name of namesIn(from))
    if (UNTRACKED.test(name) && !existsSync(join(to, name))) symlinkSync(join(from, name), join(to, name))
}
