/** Where things are, and what the figures were measured on. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
/** The built program: what users run is what is measured. */
export const BIN: string = join(ROOT, 'dist', 'bin.js')

/** Progress is conversation; the answer alone goes to stdout. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** This machine's environment, without what would change which project is found or what a server does. */
export function measuredEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const hidden =
    /^(DJANGO_|PRODSERVER_|VIRTUAL_ENV|CONDA_|PYTHON|PORT$|CELERY_|FORCE_COLOR|WEB_CONCURRENCY|GUNICORN_|npm_|NODE_)/
  const kept = Object.entries(process.env).filter(([name]) => !hidden.test(name)) as [string, string][]
  return { ...Object.fromEntries(kept), ...extra }
}

/** Facts without which a figure means little. */
export function describeMachine(python: string): Readonly<Record<string, string>> {
  const packages = ['Django', 'gunicorn', 'uvicorn', 'waitress', 'celery']
  const question = `import json, platform, importlib.metadata as m; print(json.dumps([platform.python_version(), {p: m.version(p) for p in ${JSON.stringify(packages)}}]))`
  const asked = spawnSync(python, ['-c', question], { encoding: 'utf8', env: measuredEnv() })
  const [pythonVersion, versions] = JSON.parse(asked.stdout) as [string, Record<string, string>]
  const [processor] = cpus()
  return {
    processor: `${processor?.model ?? 'unknown'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    Node: process.versions.node,
    Python: pythonVersion,
    packages: Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    prodserver: (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
    date: new Date().toISOString().slice(0, 10),
  }
}
