import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { EXIT, ProdserverError } from '../core/errors.ts'
import type { Env } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'

/** A repository of git that a project lies in. */
interface Repository {
  /** Its uppermost folder, without symbolic links. */
  readonly top: string
  /** What all its working trees share. */
  readonly common: string
}

/** What is in a revision, in a folder of its own that nothing else knows. */
interface Checkout {
  /** The folder that stands for the uppermost one of the repository. */
  readonly tree: string
  /** The folder that stands for the project. */
  readonly root: string
  /** Removes it all. May be called again. */
  readonly remove: () => void
}

/** What git says, or undefined where it says no. */
function ask(folder: string, env: Env, ...args: readonly string[]): string | undefined {
  const { status, stdout } = git(folder, env, args)
  return status === 0 ? stdout.trim() : undefined
}

function git(folder: string, env: Env, args: readonly string[]) {
  // Hooks of git are called with a repository of their own, which need not be this one.
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, GIT_PREFIX: _prefix, ...own } = env
  return spawnSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    // Nothing is asked of a person, and large files are not fetched: settings are not among them.
    env: { ...own, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 ** 2,
  })
}

/** The full name of a commit; undefined where git knows none of that name, or there is no git. */
export const findCommit = (root: string, env: Env, name: string): string | undefined =>
  name.startsWith('-') ? undefined : ask(root, env, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`)

/**
 * The repository of a project.
 *
 * @throws {ProdserverError} `E018` where there is none, or git cannot be asked.
 */
export function findRepository(root: string, env: Env, place: string): Repository {
  const { error, status, stdout, stderr } = git(root, env, ['rev-parse', '--show-toplevel', '--git-common-dir'])
  if (error) {
    const message = `git cannot be started: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not installed' : error.message}.`
    throw new ProdserverError([{ id: 'E018', place, message, hint: 'Look: git --version' }], EXIT.failed)
  }
  const [top, common] = stdout.split('\n')
  if (status === 0 && top && common) return { top: realpathSync(top), common: realpathSync(resolve(root, common)) }
  const said = firstLine(stderr)
  const message = /not a git repository/.test(said)
    ? `${root} is in no git repository.`
    : `git cannot tell the repository of ${root}: ${said}.`
  throw new ProdserverError(
    [{ id: 'E018', place, message, hint: `Look: git -C ${quoteWord(root)} status` }],
    EXIT.failed,
  )
}

/** Why there is none, in a few words; undefined where there is one. */
export function whyNoRepository(root: string, env: Env): string | undefined {
  try {
    findRepository(root, env, root)
    return undefined
  } catch (error) {
    if (error instanceof ProdserverError) return error.problems[0]?.message.replace(/\.$/, '')
    throw error
  }
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/^(fatal|error): |\.$/g, '')

/** The files of a commit in a folder below the system's for temporary files; only its owner can look into it. */
export function checkOut(
  root: string,
  env: Env,
  { repository, commit, place }: { readonly repository: Repository; readonly commit: string; readonly place: string },
): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'prodserver-revision-')))
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  const [own, tree] = [join(folder, 'git'), join(folder, 'tree')]
  try {
    // A working tree that the repository is not told of: nothing is written there, and nothing is left to be pruned.
    // Settings that ask git for the revision get this one.
    mkdirSync(own)
    mkdirSync(tree)
    writeFileSync(join(own, 'HEAD'), `${commit}\n`)
    writeFileSync(join(own, 'commondir'), `${repository.common}\n`)
    writeFileSync(join(tree, '.git'), `gitdir: ${own}\n`)
    for (const args of [
      ['read-tree', 'HEAD'],
      ['checkout-index', '--all', '--force', '--quiet'],
    ]) {
      const { status, stderr } = git(tree, env, args)
      if (status === 0) continue
      const message = `The files of the revision cannot be had: ${firstLine(stderr)}.`
      throw new ProdserverError([{ id: 'E018', place, message, hint: 'Look: git fsck' }], EXIT.failed)
    }
    const within = relative(repository.top, realpathSync(root))
    const project = join(tree, within)
    if (!existsSync(project)) {
      const message = `The revision has no folder ${within}, which the project is in.`
      const hint = `Look: git ls-tree --name-only ${commit.slice(0, 12)}`
      throw new ProdserverError([{ id: 'E018', place, message, hint }], EXIT.failed)
    }
    for (const folder of new Set(['', within])) linkUntracked(join(repository.top, folder), join(tree, folder))
    return { tree, root: project, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** What a project needs to be read, and repositories do not have, is that of today. */
const UNTRACKED = /^(\.env(\..+)?|node_modules)$/

function linkUntracked(from: string, to: string): void {
  for (const name of readdirSync(from))
    if (UNTRACKED.test(name) && !existsSync(join(to, name))) symlinkSync(join(from, name), join(to, name))
}
