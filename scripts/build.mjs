// Builds dist/: bundled JavaScript, split so that a command loads only what it needs, the Python files beside it,
// and the types of the public API.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { PYTHON_MODULES } from '../src/backends/index.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

// Made aside and put in place whole: what runs from dist/ meanwhile, or after a failed build, is never half of it.
rmSync('dist.new', { recursive: true, force: true })
await build({
  entryPoints: ['src/bin.ts', 'src/index.ts'],
  outdir: 'dist.new',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  define: { PRODSERVER_VERSION: JSON.stringify(version) },
  // Names in stack traces are worth more than the bytes.
  minifySyntax: true,
  chunkNames: 'chunks/[name]-[hash]',
})
// import.meta.url of the bundled code is that of a chunk.
for (const file of ['src/source/django_probe.py', 'src/source/deferred_package.py', 'src/plan/python_backend.py']) copyFileSync(file, `dist.new/chunks/${file.split('/').at(-1)}`)
// For manage.py prodserver, which asks about the same modules.
writeFileSync('dist.new/chunks/modules.json', JSON.stringify(PYTHON_MODULES))
execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', 'dist.new/types'], { stdio: 'inherit' })
rmSync('dist.old', { recursive: true, force: true })
if (existsSync('dist')) renameSync('dist', 'dist.old')
renameSync('dist.new', 'dist')
rmSync('dist.old', { recursive: true, force: true })
