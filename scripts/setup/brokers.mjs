/**
 * The message brokers, the database and the programs that run what was exported. Tests start them for themselves; here
 * they are only made available.
 */
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { CommandFailed } from './command.mjs'
import { findProgram } from './environment.mjs'
import { canInstall, install, installCommand } from './packages-of-system.mjs'
import { SetupError, step, warn } from './steps.mjs'

const brokers = [
  { name: 'Redis', program: 'redis-server', debian: ['redis-server'], brew: ['redis'] },
  { name: 'RabbitMQ', program: 'rabbitmq-server', debian: ['rabbitmq-server'], brew: ['rabbitmq'] },
  { name: 'PostgreSQL', program: 'postgres', debian: ['postgresql'], brew: ['postgresql'] },
  { name: 'foreman', program: 'foreman', debian: ['ruby-foreman'], brew: ['foreman'] },
  { name: 'systemd', program: 'systemd-analyze', debian: ['systemd'], brew: ['systemd'] },
]

/** Where packages put servers, which not every search path has. */
const folders = () => [
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  '/usr/lib/rabbitmq/bin',
  ...versionsOf('/usr/lib/postgresql').map((version) => join(version, 'bin')),
]

/** @param {string} folder */
function versionsOf(folder) {
  return existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version)) : []
}

/** Puts the brokers' programs on this process's search path; tests that need a missing one skip. */
export async function ensureBrokers() {
  const missing = brokers.filter(isMissing)
  if (missing.length > 0 && canInstall()) {
    const names = missing.flatMap(({ debian }) => debian)
    await step(`installing Debian packages, without starting services (apt-get install ${names.join(' ')})`, () =>
      install(names),
    ).catch(tolerateOutsideCi)
  }
  for (const broker of brokers) {
    if (isMissing(broker)) reportMissing(broker)
    else putOnPath(broker)
  }
}

/** @param {typeof brokers[number]} broker */
function isMissing({ program }) {
  return findProgram(program) === undefined && findProgram(program, folders()) === undefined
}

/** @param {typeof brokers[number]} broker */
function putOnPath({ program }) {
  const path = findProgram(program, folders())
  if (findProgram(program) || !path) return
  process.env['PATH'] = [process.env['PATH'], dirname(path)].join(delimiter)
}

/** @param {typeof brokers[number]} broker */
function reportMissing(broker) {
  const command = installCommand(broker)
  if (inCi()) throw new SetupError(`${broker.name} is not installed`, `Install it with:  ${command}`)
  warn(`${broker.name} is not installed: its tests are skipped. Install it with: ${command}`)
}

/** @param {unknown} error */
function tolerateOutsideCi(error) {
  if (inCi() || !(error instanceof CommandFailed)) throw error
  warn(`${error.message}\n${error.hint}`)
}

function inCi() {
  return Boolean(process.env['CI']) && process.env['CI'] !== 'false'
}
