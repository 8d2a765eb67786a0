// Builds dist/: bundled JavaScript with the Python files that it runs beside it, and the types of the public API.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
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
  // Names in stack traces are worth more than the bytes.
  minifySyntax: true,
}
await build({ ...options, format: 'esm', entryPoints: ['src/bin.ts', 'src/index.ts'] })
/**
 * What is a file of its own, below src. A start compiles all that it loads, so each group of commands has one, and so has
 * what only a few commands need. CommonJS: an ECMAScript module loads all that it imports of Node before its first line.
 * @type {Record<string, string>}
 */
const apart = {
  // Whoever throws an error and whoever catches it must mean the same class.
  'core/errors.ts': 'errors',
  'cli/groups/project.ts': 'project',
  'cli/groups/supervised.ts': 'supervised',
  'cli/groups/around.ts': 'around',
  'export/index.ts': 'export',
  'init/index.ts': 'init',
}
const source = resolve('src')
/** @type {import('esbuild').Plugin} */
const chunks = {
  name: 'chunks',
  setup: (plugin) =>
    plugin.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, kind }) => {
      const chunk = kind === 'entry-point' ? undefined : apart[relative(source, resolve(resolveDir, path))]
      return chunk === undefined ? undefined : { path: `./${chunk}.cjs`, external: true }
    }),
}
const programs = {
  program: 'program.ts',
  // The supervisor stays in memory, and what it does not use would stay with it.
  supervisor: 'supervisor/detached.ts',
  evaluator: 'project/evaluator.ts',
  'serve-node': 'servers/serve-node.ts',
  'bullmq-worker': 'servers/bullmq-worker.ts',
}
const files = [...Object.entries(programs), ...Object.entries(apart).map(([file, name]) => [name, file])]
await build({
  ...options,
  format: 'cjs',
  plugins: [chunks],
  entryPoints: Object.fromEntries(files.map(([name, file]) => [`chunks/${name}`, `src/${file}`])),
  outExtension: { '.js': '.cjs' },
  define: { ...options.define, 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
})
// The program looks for these beside itself.
for (const file of globSync('src/{inspect,servers}/*.py')) copyFileSync(file, `dist.new/chunks/${basename(file)}`)
cpSync('src/supervisor/shim/prodserver_shim', 'dist.new/chunks/prodserver_shim', {
  recursive: true,
  filter: (file) => !file.endsWith('__pycache__'),
})
// For manage.py prodserver, which asks about the same modules.
writeFileSync('dist.new/chunks/modules.json', JSON.stringify(PYTHON_MODULES))
execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', 'dist.new/types'], { stdio: 'inherit' })
rmSync('dist.old', { recursive: true, force: true })
if (existsSync('dist')) renameSync('dist', 'dist.old')
renameSync('dist.new', 'dist')
rmSync('dist.old', { recursive: true, force: true })
