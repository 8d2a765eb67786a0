// Builds dist/: bundled JavaScript with the Python files that it runs beside it, and the types of the public API.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { PYTHON_MODULES } from '../src/backends/index.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

// Made aside and put in place whole: what runs from dist/ meanwhile, or after a failed build, is never half of it.
rmSync('dist.new', { recursive: true, force: true })
const options = {
  outdir: 'dist.new',
  bundle: true,
  platform: 'node',
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
// One file, and CommonJS: resolving many files takes longer than compiling what a command does not use, and an ECMAScript
// module loads all that it imports of Node before its first line.
/** What only one command needs would lengthen the start of every other: each of these folders is a file of its own. */
const apart = ['export', 'init']
const chunks = {
  name: 'chunks',
  setup: ({ onResolve }) =>
    onResolve({ filter: new RegExp(`/(${apart.join('|')})/index\\.ts$`) }, ({ path }) => ({
      path: `./${path.split('/').at(-2)}.cjs`,
      external: true,
    })),
}
await build({
  ...options,
  format: 'cjs',
  plugins: [chunks],
  // The supervisor is a file of its own: it stays in memory, and what it does not use would stay with it. What evaluates
  // config files is a program of its own.
  entryPoints: {
    'chunks/program': 'src/program.ts',
    'chunks/supervisor': 'src/supervise/detached.ts',
    'chunks/evaluator': 'src/source/evaluator.ts',
    'chunks/serve-node': 'src/supervise/serve-node.ts',
    'chunks/bullmq-worker': 'src/run/bullmq-worker.ts',
  },
  outExtension: { '.js': '.cjs' },
  define: { ...options.define, 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
})
await build({
  ...options,
  format: 'cjs',
  entryPoints: Object.fromEntries(apart.map((folder) => [`chunks/${folder}`, `src/${folder}/index.ts`])),
  outExtension: { '.js': '.cjs' },
})
// The program looks for these beside itself.
const python = [
  'source/django_probe.py',
  'source/deferred_package.py',
  'source/setting_lines.py',
  'plan/python_backend.py',
  'plan/option_check.py',
  'plan/deploy_check.py',
  'plan/memory_check.py',
  'supervise/serve.py',
]
for (const file of python.map((name) => `src/${name}`)) copyFileSync(file, `dist.new/chunks/${file.split('/').at(-1)}`)
cpSync('src/supervise/keeper', 'dist.new/chunks/keeper', {
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
