/** node_modules, and the Node that runs everything else: the one that the lock file names. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { ask, CommandFailed, run } from './command.mjs'
import { isExecutable, root } from './environment.mjs'
import { SetupError, step, warn } from './steps.mjs'

const nodeModules = join(root, 'node_modules')
/** @type {readonly [major: number, minor: number]} */
const oldestNode = [22, 18]

/** @returns {Promise<string>} the Node program to run the product with */
export async function ensureNodePackages() {
  if (!matchesLockFile()) await step('installing Node packages (npm ci)', install)
  return lockedNode() ?? (await fetchLockedNode())
}

/**
 * Compares the lock file with npm's own record of what it installed, which npm writes last. So an
 * `npm ci` typed by hand counts, and one that was interrupted does not.
 */
function matchesLockFile() {
  const record = join(nodeModules, '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = packages(join(root, 'package-lock.json'))
  const installed = packages(record)
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    const present = installed[path]
    if (!path.startsWith('node_modules/') || link) return true
    if (present === undefined) return optional === true // made for another platform
    return present.version === version && present.integrity === integrity
  })
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage
 * @param {string} lockFile
 * @returns {Record<string, LockedPackage>}
 */
function packages(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages
}

async function install() {
  const npmCi = ['npm', 'ci', '--no-audit', '--no-fund']
  try {
    await run('npm-ci', npmCi)
  } catch (error) {
    // The package `node` fetches its program in a script. Where it has none for this platform, a
    // Node that is new enough does as well, so its failure must not be the end of the install.
    const onlyNode = error instanceof CommandFailed && / path .*node_modules\/node$/m.test(error.output)
    if (!onlyNode || !isNewEnough(process.versions.node)) throw error
    await run('npm-ci', [...npmCi, '--ignore-scripts'])
  }
}

/** @returns {string | undefined} */
function lockedNode() {
  const link = join(nodeModules, '.bin', 'node')
  return isExecutable(link) ? realpathSync(link) : undefined
}

/** For an npm that was told to run no install scripts (`ignore-scripts`, and npm 12 by default). */
async function fetchLockedNode() {
  if (isNewEnough(process.versions.node)) {
    warn(`using Node ${process.versions.node}, not the one in package-lock.json: npm could not install it`)
    return process.execPath
  }
  await step(`fetching a Node newer than ${process.versions.node} (npm rebuild node)`, () =>
    run('npm-rebuild-node', ['npm', 'rebuild', 'node', '--ignore-scripts=false']),
  )
  const node = lockedNode()
  if (node !== undefined && ask([node, '--version']) !== undefined) return node
  throw new SetupError(
    `Node ${process.versions.node} is too old, and npm did not install a newer one`,
    `Install Node ${oldestNode.join('.')} or newer, then type the command again.`,
  )
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}
