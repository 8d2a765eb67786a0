import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { DESCRIPTIONS, PAGES } from '../scripts/docs.ts'
import { PROBLEMS } from '../src/core/errors.ts'
import { ROOT } from './support/environment.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

for (const [path, render] of Object.entries({ ...PAGES, ...DESCRIPTIONS })) {
  test(`${path} is what npm run docs writes`, () => {
    assert.equal(read(path), render())
  })
}

test('every problem is reported somewhere, and every one reported is documented', () => {
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).filter(
    (path) => !path.endsWith('.spec.ts') && path !== 'src/errors.ts',
  )
  const used = new Set(
    sources.flatMap((path) => [...read(path).matchAll(/['"]([EW]\d{3})['"]/g)].map(([, id]) => String(id))),
  )
  assert.deepEqual([...used].toSorted(), Object.keys(PROBLEMS).toSorted())
})

test('links in the documentation lead somewhere', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !/^https?:/.test(target) && !existsSync(join(ROOT, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(broken, [])
})
