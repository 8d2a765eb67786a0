/** The environment with the tools that check and test this repository's own Python code. */
import { join } from 'node:path'
import { root } from './environment.mjs'
import { ensureEnvironment } from './python-environment.mjs'

/** @returns {Promise<string>} its folder of programs */
export async function ensureCheckEnvironment() {
  const folder = join(root, '.venv-check')
  await ensureEnvironment(folder, join(root, 'scripts', 'requirements-check.txt'))
  return join(folder, 'bin')
}
