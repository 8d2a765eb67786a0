/** Running other programs: quietly into a log file, for their answer, or in our place. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import { isatty } from 'node:tty'
import { environment, root } from './environment.mjs'
import { Interrupted, SetupError } from './steps.mjs'

/**
 * @typedef {object} Options
 * @property {string} [cwd] default: the repository's root
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [timeoutMs]
 */

/** A command that ended with anything but success; its last lines are the hint. */
export class CommandFailed extends SetupError {
  /**
   * @param {string} what
   * @param {string} output
   * @param {string} log
   */
  constructor(what, output, log) {
    super(what, `${lastLines(output)}\n\nThe whole output: ${relative(process.cwd(), log)}`)
    this.output = output
  }
}

/**
 * Runs a command with its output in `.logs/NAME.log`.
 * @param {string} name of the log
 * @param {string[]} argv
 * @param {Options} [options]
 * @returns {Promise<string>} the output
 */
export async function run(name, argv, { cwd = root, env = environment(), timeoutMs = 600_000 } = {}) {
  const log = logFile(name)
  const descriptor = openSync(log, 'w')
  try {
    const stdio = /** @type {const} */ (['ignore', descriptor, descriptor])
    const [program = '', ...args] = argv
    const end = await ending(spawn(program, args, { cwd, env, stdio: [...stdio] }), timeoutMs)
    const output = readFileSync(log, 'utf8')
    if (end.interrupted) throw new Interrupted(end.interrupted)
    if (end.code !== 0) throw new CommandFailed(describe(argv, end), output, log)
    return output
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Asks a program a quick question.
 * @param {string[]} argv
 * @param {Options} [options]
 * @returns {string | undefined} its answer; undefined when it failed, hung or is absent
 */
export function ask([program = '', ...args], { cwd = root, env = environment(), timeoutMs = 10_000 } = {}) {
  const { status, stdout } = spawnSync(program, args, {
    cwd,
    env,
    timeout: timeoutMs,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * Hands this process's place to a program: same terminal, same signals, same exit code.
 * @param {string[]} argv with a full path first
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} the exit code, where the place itself cannot be handed over
 */
export async function become(argv, env) {
  const [program = '', ...args] = argv
  process.execve?.(program, argv, definedOnly(env)) // Node 22.15 and newer; does not return
  const end = await ending(spawn(program, args, { env, stdio: 'inherit' }))
  if (end.error) throw new SetupError(describe(argv, end))
  if (end.signal) process.kill(process.pid, end.signal)
  return end.code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (end.signal)]
}

/**
 * @typedef {object} Ending
 * @property {number | null} code
 * @property {NodeJS.Signals | null} signal what ended the child
 * @property {Error} [error] why it could not start
 * @property {NodeJS.Signals} [interrupted] what we were sent meanwhile
 * @property {boolean} timedOut
 */

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} [timeoutMs] default: none
 * @returns {Promise<Ending>}
 */
async function ending(child, timeoutMs) {
  /** @type {Ending} */
  const end = { code: null, signal: null, timedOut: false }
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    end.interrupted ??= signal
    // Ctrl-C reaches the child from the terminal; a second one would make it skip its clean-up.
    if (signal !== 'SIGINT' || !isatty(0)) child.kill(signal)
  }
  const stop = () => {
    end.timedOut = true
    child.kill(child.killed ? 'SIGKILL' : 'SIGTERM')
  }
  const timers = timeoutMs ? [setTimeout(stop, timeoutMs), setTimeout(stop, timeoutMs + 10_000)] : []
  for (const signal of forwarded) process.on(signal, passOn)
  try {
    ;[end.code, end.signal] = await once(child, 'exit')
  } catch (error) {
    end.error = /** @type {Error} */ (error)
  } finally {
    for (const signal of forwarded) process.off(signal, passOn)
    for (const timer of timers) clearTimeout(timer)
  }
  return end
}

/** @type {NodeJS.Signals[]} */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * @param {string[]} argv
 * @param {Ending} end
 */
function describe(argv, end) {
  const command = argv.join(' ').replaceAll(`${root}/`, '')
  if (end.error) return `cannot run ${command}: ${end.error.message}`
  if (end.timedOut) return `${command} took too long and was stopped`
  return `${command} failed (${end.signal ?? `exit code ${end.code}`})`
}

/** @param {string} name */
function logFile(name) {
  const folder = join(root, '.logs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '.gitignore'), '*\n')
  return join(folder, `${name}.log`)
}

/** npm ends a refusal with all its options, which would leave no room for the reason. */
const npmUsage = /^npm error Clean install a project\n[^]*?(?=^npm error A complete log)/m

/** @param {string} output */
function lastLines(output) {
  const lines = output.replace(npmUsage, '').trimEnd().split('\n')
  return lines.slice(-20).join('\n')
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
function definedOnly(env) {
  /** @type {Record<string, string>} */
  const defined = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value
  return defined
}
