import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { resolveScript } from './package-scripts.ts'

const root = mkdtempSync(join(tmpdir(), 'prodserver-scripts-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = join(root, 'frontend')

function write(path: string, text: string, mode = 0o644): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

const NODE = '#!/usr/bin/env node\n'
const next = write('node_modules/next/dist/bin/next', NODE, 0o755)
const tsx = write('node_modules/tsx/cli.mjs', NODE, 0o755)
const vite = write('node_modules/vite/bin/vite.js', NODE, 0o755)
write('node_modules/vite/package.json', JSON.stringify({ name: 'vite', bin: { vite: 'bin/vite.js' } }))
mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
symlinkSync(next, join(folder, 'node_modules', '.bin', 'next'))
symlinkSync(tsx, join(folder, 'node_modules', '.bin', 'tsx'))
// As pnpm makes it.
write('node_modules/.bin/vite', '#!/bin/sh\nexec node  "$basedir/../vite/bin/vite.js" "$@"\n', 0o755)
const tsxLink = join(folder, 'node_modules', '.bin', 'tsx')

type Scripts = Readonly<Record<string, string>>

function resolved(scripts: Scripts, more: object = {}): ReturnType<typeof resolveScript> {
  write('package.json', JSON.stringify({ name: 'shop', version: '1.2.3', scripts, ...more }))
  return resolveScript('start', folder)
}

function wordsOf(scripts: Scripts, more?: object): readonly string[] {
  const found = resolved(scripts, more)
  assert.ok('words' in found, JSON.stringify(found))
  return found.words
}

const sh = (text: string, name = 'start'): readonly string[] => ['/bin/sh', '-c', text, name]

const commands: readonly (readonly [scripts: Scripts | string, words: readonly string[]])[] = [
  ['node server.js --flag "two words"', ['node', 'server.js', '--flag', 'two words']],
  ['next start -p 3000', ['node', next, 'start', '-p', '3000']],
  ['npx next start', ['node', next, 'start']],
  ['vite preview', ['node', vite, 'preview']],
  ['tsx server.ts', [tsxLink, 'server.ts']],
  ['python -m http.server', ['python', '-m', 'http.server']],
  ['./serve.sh', ['./serve.sh']],
  ['node server.js --port=$PORT', sh('exec node server.js --port=$PORT "$@"')],
  ['node "$SCRIPT"', sh('exec node "$SCRIPT" "$@"')],
  ["node -e 'a && $b' ", ['node', '-e', 'a && $b']],
  ['node server.js "a;b"', ['node', 'server.js', 'a;b']],
  ['cd dist && node server.js', sh('cd dist && exec node server.js "$@"')],
  ['A=$B C=d node server.js', sh('exec env A=$B C=d node server.js "$@"')],
  ['echo "a && b"; node server.js > log', sh('echo "a && b"; exec node server.js > log "$@"')],
  ['node server.js 2>&1', sh('exec node server.js 2>&1 "$@"')],
  ['node server.js | pino', sh('node server.js | pino "$@"')],
  ['node a.js & node b.js', sh('node a.js & node b.js "$@"')],
  ['(node a.js)', sh('(node a.js) "$@"')],
  ['test -f x && exit 1', sh('test -f x && exit 1 "$@"')],
  ['if true; then node server.js; fi', sh('if true; then node server.js; fi "$@"')],
  ['cd dist', sh('cd dist "$@"')],
  [{ start: 'npm run serve -- --open', serve: 'next start' }, ['node', next, 'start', '--open']],
  [{ start: 'yarn serve --open', serve: 'pnpm prod', prod: 'next start' }, ['node', next, 'start', '--open']],
  [{ start: 'npm run serve --silent', serve: 'next start' }, ['npm', 'run', 'serve', '--silent']],
  [{ start: 'npm run start' }, ['npm', 'run', 'start']],
  [{ start: 'npm run nothing' }, ['npm', 'run', 'nothing']],
  [{ prestart: 'next build', start: 'next start' }, sh('next build && exec next start "$@"')],
  [
    { start: 'npm run serve', preserve: 'node check.js', serve: 'next start' },
    sh('node check.js && exec next start "$@"'),
  ],
]

for (const [given, words] of commands) {
  const scripts = typeof given === 'string' ? { start: given } : given
  test(`${JSON.stringify(given)} runs ${words.map((word) => word.replace(root, '')).join(' ')}`, () => {
    assert.deepEqual(wordsOf(scripts), words)
  })
}

test('what a script sets, and what npm would tell it', () => {
  const found = resolved({ start: 'NODE_ENV=production PORT="3 0" node server.js', poststart: 'x' })
  assert.ok('words' in found)
  assert.deepEqual(found.assigned, { NODE_ENV: 'production', PORT: '3 0' })
  assert.deepEqual(found.env, {
    npm_lifecycle_event: 'start',
    npm_package_json: join(folder, 'package.json'),
    npm_package_name: 'shop',
    npm_package_version: '1.2.3',
  })
  assert.deepEqual(found.notes, ['the script poststart is not run: what is supervised does not end'])
})

test('a script that needs a shell to stay, or npm, says so', () => {
  const noteOf = (start: string): string => {
    const found = resolved({ start })
    return 'notes' in found ? found.notes.join() : found.message
  }
  assert.match(noteOf('node a.js | pino'), /a shell that stays as its parent/)
  assert.match(noteOf('npm run start'), /npm stays as the parent/)
  assert.equal(noteOf('cd dist && node server.js'), '')
})

test('current Yarn runs nothing before a script', () => {
  const scripts = { prestart: 'node check.js', start: 'node server.js' }
  assert.deepEqual(wordsOf(scripts, { packageManager: 'yarn@4.9.1' }), ['node', 'server.js'])
  assert.deepEqual(
    wordsOf(scripts, { packageManager: 'yarn@1.22.22' }),
    sh('node check.js && exec node server.js "$@"'),
  )
})

test("with Yarn's Plug'n'Play it is Yarn that knows where packages are", () => {
  const file = write('.pnp.cjs', '')
  assert.deepEqual(wordsOf({ start: 'next start' }), ['yarn', 'run', 'start'])
  rmSync(file)
})

test('without a script start, server.js is started, as npm does', () => {
  const script = write('server.js', '')
  assert.deepEqual(wordsOf({}), ['node', 'server.js'])
  rmSync(script)
  assert.deepEqual(resolved({ strat: 'x' }), {
    message: `${join(folder, 'package.json')} has no script "start"`,
    hint: 'Did you mean "strat"?',
  })
  assert.deepEqual(resolved({}), {
    message: `${join(folder, 'package.json')} has no script "start"`,
    hint: 'It has no scripts',
  })
})
