/** The npm packages that Node backends are tested with, in a folder of their own: the product needs none of them. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.mjs'
import { root } from './environment.mjs'
import { step } from './steps.mjs'

const wanted = join(root, 'scripts', 'packages-test')
const folder = join(root, '.packages-test')
/** The lock file that they were installed for, written last. */
const record = join(folder, 'node_modules', 'installed-for.json')

export async function ensureTestPackages() {
  const lock = readFileSync(join(wanted, 'package-lock.json'), 'utf8')
  if (existsSync(record) && readFileSync(record, 'utf8') === lock) return
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(wanted, name), join(folder, name))
  // What is optional is for building, and large.
  const npmCi = ['npm', 'ci', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund']
  await step('installing the packages of Node backends (npm ci, scripts/packages-test)', () =>
    run('packages-test', npmCi, { cwd: folder }),
  )
  writeFileSync(record, lock)
}
