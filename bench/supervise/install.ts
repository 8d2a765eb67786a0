/** Installs process managers, each in a folder of its own below bench/.cache, in the version that is current then. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, say } from '../machine.ts'
import { Unavailable } from './contestant.ts'

const CACHE = join(ROOT, 'bench', '.cache', 'supervise')
/** A registry that does not answer in this time is not there. */
const LIMIT_MS = 180_000

/** Packages of PyPI in an environment. @returns its `bin` folder. */
export function installPython(...packages: readonly string[]): string {
  const folder = cached(packages.join('-'), packages.join(' '), (folder) => {
    run(['python3', '-m', 'venv', folder])
    const pip = [join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--no-input']
    run([...pip, '--disable-pip-version-check', ...packages])
  })
  return join(folder, 'bin')
}

/** @returns the version of a package in the environment that {@link installPython} made. */
export const pythonVersion = (bin: string, name: string): string =>
  run([join(bin, 'python'), '-c', `import importlib.metadata as m; print(m.version('${name}'))`]).trim()

/** A package of the npm registry. @returns the package's own folder. */
export function installNode(name: string): string {
  const folder = cached(name, name, (folder) =>
    run(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, name]),
  )
  return join(folder, 'node_modules', name)
}

/** A Debian package, and those that it needs and that this machine does not have. @returns the folder to find `usr` in. */
export function installDebian(name: string): string {
  return cached(name, name, (folder) => {
    const archives = join(folder, 'archives')
    mkdirSync(join(archives, 'partial'), { recursive: true })
    const options = [`Dir::Cache::archives=${archives}`, 'Debug::NoLocking=1'].flatMap((option) => ['-o', option])
    run(['apt-get', 'install', '--yes', '--download-only', '--no-install-recommends', '--reinstall', ...options, name])
    for (const archive of globSync(join(archives, '*.deb'))) run(['dpkg-deb', '-x', archive, folder])
  })
}

/** @returns the version of the package that {@link installDebian} took, as Debian writes it. */
export function debianVersion(folder: string, name: string): string {
  const [archive = ''] = globSync(join(folder, 'archives', `${name}_*.deb`))
  return run(['dpkg-deb', '-f', archive, 'Version']).trim()
}

/** Where the shared libraries of a Debian package are that is not installed. */
export const debianLibraries = (folder: string): string =>
  globSync(join(folder, '{usr/,}lib/*-linux-gnu*')).join(':') || folder

/**
 * A copy of this Node for everything that is measured. Memory that processes share is counted in parts: beside the
 * bench itself, which runs on the same file, any program on Node would look 20 MiB smaller than it is.
 */
export function copyNode(): string {
  const folder = cached('node', process.version, (folder) => {
    mkdirSync(join(folder, 'bin'), { recursive: true })
    copyFileSync(process.execPath, join(folder, 'bin', 'node'))
  })
  return join(folder, 'bin', 'node')
}

/** The program of the children: its words. */
export function compileChild(): readonly string[] {
  const source = join(import.meta.dirname, 'child.c')
  const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
  if (!compiler) return ['python3', '-I', '-S', join(import.meta.dirname, 'child.py')]
  const folder = cached('child', readFileSync(source, 'utf8'), (folder) => {
    mkdirSync(folder, { recursive: true })
    run([compiler, '-O2', '-o', join(folder, 'child'), source])
  })
  return [join(folder, 'child')]
}

function cached(name: string, wanted: string, make: (folder: string) => void): string {
  const folder = join(CACHE, name)
  // Written last, so a folder without it is an unfinished one.
  const stamp = join(folder, 'made-from.txt')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder
  say(`installing ${name}`)
  rmSync(folder, { recursive: true, force: true })
  make(folder)
  writeFileSync(stamp, wanted)
  return folder
}

function run([command = '', ...args]: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: LIMIT_MS })
  if (error) throw new Unavailable(`there is no ${command}`, { cause: error })
  if (status === 0) return stdout
  const [reason = 'it failed'] = stderr.trim().split('\n').slice(-1)
  throw new Unavailable(`${command} ${args[0] ?? ''}: ${reason}`)
}
