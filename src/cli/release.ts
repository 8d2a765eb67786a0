import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { ProcessSpec } from '../supervisor/spec.ts'

/** What names the code that is deployed: the git revision, else the declaration itself. */
export function releaseOf(root: string, specs: readonly ProcessSpec[]): string {
  if (!specs.some(({ run }) => run === 'release')) return ''
  const { status, stdout } = spawnSync('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (status === 0 && stdout.trim() !== '') return stdout.trim()
  return createHash('sha256')
    .update(specs.map(({ hash }) => hash).join())
    .digest('hex')
    .slice(0, 12)
}
