/** Programs from the system's own packages: installed on Debian as root, elsewhere named. */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { ask, run } from './command.mjs'
import { environment, findProgram } from './environment.mjs'

/** Asked by Debian's packages before they start a service; exit code 101 says no. */
const policy = '/usr/sbin/policy-rc.d'
const savedPolicy = `${policy}.before-prodserver`
const ourPolicy = '#!/bin/sh\n# Written by prodserver while it installs packages.\nexit 101\n'

const aptInstall = ['apt-get', 'install', '-y', '--no-install-recommends']

export function canInstall() {
  return process.getuid?.() === 0 && findProgram('apt-get') !== undefined
}

/**
 * The command to type.
 * @param {{ debian: string[], brew: string[] }} names
 */
export function installCommand({ debian, brew }) {
  if (findProgram('brew')) return `brew install ${brew.join(' ')}`
  if (!findProgram('apt-get')) return `the package manager of your system (${brew.join(' ')})`
  return [...(process.getuid?.() === 0 ? [] : ['sudo']), ...aptInstall, ...debian].join(' ')
}

/**
 * Installs Debian packages without letting them start their services.
 * @param {string[]} names
 */
export async function install(names) {
  const env = environment({ DEBIAN_FRONTEND: 'noninteractive' })
  const wait = ['-o', 'DPkg::Lock::Timeout=120'] // another apt-get may be at work
  await run('apt-update', ['apt-get', 'update'], { env })
  await withoutServices(() => run('apt-install', [...aptInstall, ...wait, ...names], { env }))
}

/**
 * @template T
 * @param {() => Promise<T>} act
 */
async function withoutServices(act) {
  restorePolicy() // an earlier run may have been killed
  const refuses = existsSync(policy) && ask([policy, 'prodserver', 'start']) === undefined
  if (refuses) return act()
  if (existsSync(policy)) renameSync(policy, savedPolicy)
  writeFileSync(policy, ourPolicy)
  chmodSync(policy, 0o755)
  try {
    return await act()
  } finally {
    restorePolicy()
  }
}

function restorePolicy() {
  if (existsSync(policy) && readFileSync(policy, 'utf8') === ourPolicy) rmSync(policy)
  if (existsSync(savedPolicy)) renameSync(savedPolicy, policy)
}
