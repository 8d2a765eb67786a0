/** dist/, made again when a source is newer. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.mjs'
import { root } from './environment.mjs'
import { step } from './steps.mjs'

const program = join(root, 'dist', 'bin.js')
const sources = [
  'src',
  'scripts/build.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
]

export async function ensureBuild() {
  if (existsSync(program) && modifiedAt(program) >= newest(sources)) return
  await step('building dist (npm run build)', () => run('build', ['npm', 'run', 'build']))
}

/** @param {string[]} names */
function newest(names) {
  const paths = names.map((name) => join(root, name)).filter((path) => existsSync(path))
  return Math.max(...paths.flatMap((path) => [path, ...filesBelow(path)]).map(modifiedAt))
}

/**
 * Folders count too: deleting a file changes only the folder.
 * @param {string} path
 */
function filesBelow(path) {
  if (!statSync(path).isDirectory()) return []
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
}

/** @param {string} path */
function modifiedAt(path) {
  return statSync(path).mtimeMs
}
