/**
 * Is the package that npm would publish whole? Packs it, installs it in an empty folder as a user
 * would, and serves the example from there. Needs what `npm test` set up.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from './setup/command.mjs'
import { environment, root } from './setup/environment.mjs'
import { anyPort } from './setup/port.mjs'
import { ensureEnvironment, pipEnvironment, pipInstall } from './setup/python-environment.mjs'
import { main, step } from './setup/steps.mjs'

const temporary = mkdtempSync(join(tmpdir(), 'prodserver-pack-'))
const app = join(temporary, 'app')
const installed = join(app, 'node_modules', 'prodserver')
const project = join(temporary, 'example')

await main(async () => {
  try {
    const python = await ensureEnvironment(join(root, '.venv-test'), join(root, 'scripts', 'requirements-test.txt'))
    await step('packing and installing the package', installPackage)
    await step('looking at its files', checkFiles)
    await step('asking it for its version and its help', checkCommandLine)
    await step('checking and running a config file', checkConfigFile)
    copyExample()
    await step('listing the processes of the example', () => checkList(python.python))
    await step('preparing its database', () => migrate(python.python))
    await step('serving the example', () => checkServing(python.python))
    await step('supervising the example', () => checkSupervising(python.python))
    await step('installing its Python part', () => checkPythonPart(python.python))
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
})

async function installPackage() {
  await run('pack', ['npm', 'pack', '--pack-destination', temporary])
  const tarball = readdirSync(temporary).find((name) => name.endsWith('.tgz'))
  assert(tarball, 'npm pack made no package')
  mkdirSync(app)
  // Node of its own: the one of the machine may be too old, which is no fault of the package.
  const manifest = { private: true, allowScripts: { node: true } }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', 'node', 'package.json'), 'utf8'))
  const packages = [join(temporary, tarball), `node@${version}`]
  await inApp('pack-install', ['npm', 'install', '--no-audit', '--no-fund', ...packages])
}

function checkFiles() {
  const names = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  const top = names.filter((name) => !name.includes('/')).toSorted()
  assert.deepEqual(top, ['LICENSE', 'README.md', 'dist', 'package.json', 'python', 'schema.json'])
  const strays = names.filter((name) => /\.spec\.|__pycache__|\.pyc$|\.egg-info|(^|\/)test/.test(name))
  assert.deepEqual(strays, [])
}

async function checkCommandLine() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const answer = await prodserver('pack-version', '--version')
  assert(answer.includes(version), `--version says ${JSON.stringify(answer)}, not ${version}`)
  const help = await prodserver('pack-help', '--help')
  assert.match(help, /\brun\b/, '--help does not name the command run')
}

/** Its types are whole, those of its library included, and nothing else need be installed. */
async function checkConfigFile() {
  const folder = join(app, 'config')
  const processes = "{ web: { backend: 'gunicorn', args: { workers: 2 } }, once: { backend: 'command', app: 'true' } }"
  const text = `import { defineConfig } from 'prodserver'\n\nexport default defineConfig({ processes: ${processes} })\n`
  const compilerOptions = { module: 'nodenext', strict: true, noEmit: true, types: [], lib: ['es2024'] }
  mkdirSync(folder)
  writeFileSync(join(folder, 'prodserver.config.ts'), text)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  await run('pack-types', [join(root, 'node_modules', '.bin', 'tsc'), '--project', folder])
  await prodserver('pack-config', 'run', '--project', folder, 'once')
}

function copyExample() {
  const isGenerated = /\/(var|__pycache__)$/
  cpSync(join(root, 'example'), project, { recursive: true, filter: (path) => !isGenerated.test(path) })
}

/** @param {string} python */
async function checkList(python) {
  const processes = await prodserver('pack-list', 'list', '--project', project, '--python', python)
  assert.match(processes, /\bweb\b/, 'list does not show the process web')
}

/** @param {string} python */
function migrate(python) {
  return prodserver('pack-migrate', 'run', '--project', project, '--python', python, 'migrate')
}

/**
 * The supervisor, its shim and what they run in Python all come from the package.
 * @param {string} python
 */
async function checkSupervising(python) {
  const port = await anyPort()
  const env = {
    PORT: String(port),
    FRONTEND_PORT: String(await anyPort()),
    PRODSERVER_STATE_DIR: join(temporary, 'state'),
  }
  const where = ['--project', project, '--python', python]
  const ask = (/** @type {string[]} */ ...words) =>
    inApp(`pack-${words[0]}`, ['npx', '--no-install', 'prodserver', ...words, ...where], env)
  try {
    await ask('up', 'web', 'frontend', '-d')
    assert.equal(await answerOf(`http://127.0.0.1:${port}/`), 200, 'the supervised server answers, and with 200')
  } finally {
    await ask('down')
  }
}

/** @param {string} python */
async function checkServing(python) {
  const port = await anyPort()
  const log = join(temporary, 'server.log')
  const descriptor = openSync(log, 'w')
  const program = join(app, 'node_modules', '.bin', 'prodserver')
  const server = spawn(program, ['run', '--project', project, '--python', python, 'web'], {
    cwd: app,
    env: appEnvironment({ PORT: String(port) }),
    stdio: ['ignore', descriptor, descriptor],
  })
  const exited = once(server, 'exit')
  try {
    const status = await Promise.race([answerOf(`http://127.0.0.1:${port}/`), exited])
    assert.equal(status, 200, 'the server answers, and with 200')
    server.kill('SIGTERM') // the server has our child's place, so this pid is its own
    const end = await Promise.race([exited, delay(20_000, 'still running', { ref: false })])
    assert.deepEqual(end, [0, null], 'the server ends with exit code 0 when it is asked to stop')
  } catch (error) {
    throw new Error(`${readFileSync(log, 'utf8')}\nThe above is the output of the server.`, { cause: error })
  } finally {
    server.kill('SIGKILL')
  }
}

/** @param {string} url */
async function answerOf(url) {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      return (await fetch(url, { signal: AbortSignal.timeout(10_000) })).status
    } catch (error) {
      if (Date.now() > deadline) throw error
      await delay(100)
    }
  }
}

/** @param {string} python */
async function checkPythonPart(python) {
  const folder = join(temporary, 'venv')
  const own = join(folder, 'bin', 'python')
  const env = pipEnvironment()
  await run('pack-venv', [python, '-m', 'venv', folder])
  await run('pack-pip', [...pipInstall(own), join(installed, 'python')], { env, cwd: temporary })
  await run('pack-import', [own, '-c', 'import django_prodserver'], { cwd: temporary })
}

/**
 * @param {string} log
 * @param {string[]} args
 */
function prodserver(log, ...args) {
  return inApp(log, ['npx', '--no-install', 'prodserver', ...args])
}

/**
 * @param {string} log
 * @param {string[]} argv
 * @param {Record<string, string>} [extra]
 */
function inApp(log, argv, extra) {
  return run(log, argv, { cwd: app, env: appEnvironment(extra), timeoutMs: 120_000 })
}

/**
 * As in a folder of a user: nothing of the repository is on the search path.
 * @param {Record<string, string>} [extra]
 */
function appEnvironment(extra = {}) {
  const env = environment(extra)
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => !folder.startsWith(root))
  return { ...env, PATH: [join(app, 'node_modules', '.bin'), ...folders].join(':') }
}
