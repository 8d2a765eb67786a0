import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProdserverError, UsageError } from '../../../core/errors.ts'
import { chooseSide, type Side, type SideFacts } from './sides.ts'

const among =
  (...known: readonly string[]) =>
  (name: string): boolean =>
    known.includes(name)

const facts: SideFacts = {
  isModule: among('mysite', 'mysite.staging', 'both', 'all'),
  isFile: among('.env.staging', 'all', 'mysite/staging.py', 'tagged'),
  isFolder: among('.', '..', 'mysite', '../other', 'release', 'named'),
  whyNoRevision: () => undefined,
  isRevision: among('HEAD~1', 'v1.2', 'main', 'feature/x', 'both', 'all', 'tagged', 'named', 'env'),
}

const git = (revision: string, module?: string): Side => ({ kind: 'git', revision, module })

const sides: readonly (readonly [text: string, side: Side])[] = [
  ['mysite.staging', { kind: 'settings', module: 'mysite.staging' }],
  ['mysite.nowhere', { kind: 'settings', module: 'mysite.nowhere' }],
  ['mysite', { kind: 'settings', module: 'mysite' }],
  ['.env.staging', { kind: 'env', file: '.env.staging' }],
  ['.', { kind: 'project', folder: '.' }],
  ['..', { kind: 'project', folder: '..' }],
  ['../other', { kind: 'project', folder: '../other' }],
  ['release', { kind: 'project', folder: 'release' }],
  ['HEAD~1', git('HEAD~1')],
  ['v1.2', git('v1.2')],
  ['feature/x', git('feature/x')],
  ['main:mysite.staging', git('main', 'mysite.staging')],
  ['v1.2:', git('v1.2')],
  ['git:both', git('both')],
  ['git:env:mysite.staging', git('env', 'mysite.staging')],
  ['settings:both', { kind: 'settings', module: 'both' }],
  ['env:all', { kind: 'env', file: 'all' }],
]

for (const [text, side] of sides) {
  test(`${text} is told to be ${side.kind}`, () => {
    assert.deepEqual(chooseSide(text, facts), side)
  })
}

for (const [text, message, hint] of [
  ['both', 'both is a settings module and a git revision.', 'Write settings:both or git:both.'],
  [
    'all',
    'all is a settings module and an environment file and a git revision.',
    'Write settings:all or env:all or git:all.',
  ],
  ['tagged', 'tagged is an environment file and a git revision.', 'Write env:tagged or git:tagged.'],
  ['named', 'named is a folder and a git revision.', 'Write ./named or git:named.'],
  [
    'mysite/staging.py',
    'mysite/staging.py is a file of Python; a settings module is written with dots.',
    'Write mysite.staging.',
  ],
] as const) {
  test(`${text} is refused: ${message}`, () => {
    assert.throws(
      () => chooseSide(text, facts),
      (error) => error instanceof UsageError && error.message === message && error.hint === hint,
    )
  })
}

for (const text of ['v9', 'nowhere', '.env.nowhere', 'nowhere:mysite', 'nowhere/', '--help', '']) {
  test(`${JSON.stringify(text)} is none of them`, () => {
    assert.throws(
      () => chooseSide(text, facts),
      (error) => error instanceof ProdserverError && error.problems[0]?.id === 'E018' && error.exitCode === 2,
    )
  })
}

test('where nothing can be a revision, it is said why', () => {
  assert.throws(() => chooseSide('v9', { ...facts, whyNoRevision: () => 'git is not installed' }), {
    message:
      'E018 v9: v9 is no settings module, no environment file, no folder and no git revision: git is not installed.',
  })
})
