// Builds dist/: bundled JavaScript with the Python files that it runs beside it, and the types of the public API.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { PYTHON_MODULES } from '../src/backends/index.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

// Made aside and put in place whole: what runs from dist/ meanwhile, or after a failed build, is never half of it.
rmSync('dist.new', { recursive: true, force: true })
/** @satisfies {import('esbuild').BuildOptions} */
const options = {
  outdir: 'dist.new',
  bundle: true,
  platform: /** @type {const} */ ('node'),
  target: 'node22.18',
  define: {
    PRODSERVER_VERSION: JSON.stringify(version),
    PRODSERVER_PROGRAM: '"./chunks/program.cjs"',
    PRODSERVER_SUPERVISOR: '"./supervisor.cjs"',
    PRODSERVER_EVALUATOR: '"./evaluator.cjs"',
  },
  // Every start reads the program, so whitespace costs time. Names stay for stack traces, and lines stay short because
  // Node prints the line of an uncaught error.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
}
await build({ ...options, format: 'esm', entryPoints: ['src/bin.ts', 'src/index.ts'] })
/**
 * Chunks: built files by name, with the files below src that each one has. A start compiles everything that it loads, so it
 * must load little more than the code of its command. A command that is not listed is a chunk by itself. Chunks are
 * CommonJS, because an ECMAScript module loads all of its imports from Node before its first line.
 *
 * @type {Map<string, string[]>}
 */
const chunks = new Map([
  // Code that throws an error and code that catches it must use the same class.
  ['errors', ['core/errors.ts']],
  // Commands that plan the processes.
  ['project', [...commands('run', 'list', 'show', 'check'), 'cli/list-declared.ts']],
  // Commands that ask a supervisor, or read what it has written.
  ['client', commands('ps', 'logs', 'events', 'why', 'top', 'start', 'stop', 'restart', 'scale', 'down')],
  // Commands that may become a supervisor.
  ['supervise', [...commands('up', 'reload'), 'cli/commands/down/without-supervisor.ts']],
  // Commands that are typed now and then.
  ['around', commands('init', 'backends', 'diff', 'export', 'deploy')],
  ['cluster', ['cli/cluster.ts', 'deploy/index.ts']],
  ['export', ['export/index.ts']],
  ['init', ['init/index.ts']],
])

/** @param {string[]} names */
function commands(...names) {
  return names.map((name) => `cli/commands/${name}/execute.ts`)
}

const listed = new Set([...chunks.values()].flat())
for (const file of globSync('cli/commands/*/execute.ts', { cwd: 'src' }))
  if (!listed.has(file)) chunks.set(basename(dirname(file)), [file])

const source = resolve('src')
const isSource = (/** @type {string} */ path) => basename(path) !== '__pycache__'
const chunkOf = new Map([...chunks].flatMap(([name, files]) => files.map((file) => [join(source, file), name])))

/**
 * Puts a stub in the place of a file of a chunk; the chunk runs one of its files when a stub asks for it.
 *
 * @type {import('esbuild').Plugin}
 */
const chunkPlugin = {
  name: 'chunks',
  setup: (building) => {
    building.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, namespace }) => {
      const file = resolve(resolveDir, path)
      return namespace === 'chunk' || !chunkOf.has(file) ? undefined : { path: file, namespace: 'stub' }
    })
    building.onResolve({ filter: /^chunk:/ }, ({ path }) => ({ path: path.slice('chunk:'.length), namespace: 'chunk' }))
    building.onResolve({ filter: /\.cjs$/ }, ({ path, namespace }) =>
      namespace === 'stub' ? { path, external: true } : undefined,
    )
    building.onLoad({ filter: /.*/, namespace: 'stub' }, ({ path }) => ({
      contents: `module.exports = require('./${chunkOf.get(path)}.cjs')[${JSON.stringify(relative(source, path))}]()`,
    }))
    building.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({
      contents: (chunks.get(path) ?? [])
        .map((file) => `exports[${JSON.stringify(file)}] = () => require('./${file}')`)
        .join('\n'),
      resolveDir: source,
    }))
  },
}
const programs = {
  program: 'program.ts',
  // The supervisor stays in memory, and what it does not use would stay with it.
  supervisor: 'supervisor/detached.ts',
  evaluator: 'project/evaluator.ts',
  'serve-node': 'servers/serve-node.ts',
  'bullmq-worker': 'servers/bullmq-worker.ts',
}
const entryPoints = {
  ...Object.fromEntries(Object.entries(programs).map(([name, file]) => [`chunks/${name}`, `src/${file}`])),
  ...Object.fromEntries([...chunks.keys()].map((name) => [`chunks/${name}`, `chunk:${name}`])),
}
await build({
  ...options,
  format: 'cjs',
  plugins: [chunkPlugin],
  entryPoints,
  outExtension: { '.js': '.cjs' },
  define: { ...options.define, 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
})
// The program looks for its Python code beside itself: single files, and packages as folders.
for (const file of globSync('src/{inspect,servers}/*.py')) copyFileSync(file, `dist.new/chunks/${basename(file)}`)
for (const file of globSync('src/**/__main__.py')) {
  const folder = dirname(file)
  cpSync(folder, `dist.new/chunks/${basename(folder)}`, { recursive: true, filter: isSource })
}
// For manage.py prodserver, which asks about the same modules.
writeFileSync('dist.new/chunks/modules.json', JSON.stringify(PYTHON_MODULES))
execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', 'dist.new/types'], { stdio: 'inherit' })
rmSync('dist.old', { recursive: true, force: true })
if (existsSync('dist')) renameSync('dist', 'dist.old')
renameSync('dist.new', 'dist')
rmSync('dist.old', { recursive: true, force: true })
