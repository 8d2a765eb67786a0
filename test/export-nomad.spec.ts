import assert from 'node:assert/strict'
import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { quoteHcl } from '../src/export/nomad/hcl.ts'
import { PYTHON } from './support/environment.ts'
import { buildGo } from './support/go.ts'
import { assertGolden } from './support/golden.ts'
import { prodserver, run } from './support/running.ts'
import { createReferenceProject } from './support/reference.ts'
import { createStack, EVERYTHING } from './support/stack.ts'

const OPTIONS = ['--name=shop', '--image=registry.example.com/shop:1.4', '--env-from=nomad/jobs/shop', '--out', 'nomad']

async function exportNomad(t: TestContext, root: string): Promise<string> {
  const { code, stderr } = await prodserver(t, ['export', 'nomad', '--python', PYTHON, ...OPTIONS], { cwd: root })
  assert.equal(code, 0, stderr)
  return join(root, 'nomad')
}

test("the reference's complete stack, as a file that stands in the repository", async (t) => {
  const { root } = createStack(t)
  assertGolden('nomad', await exportNomad(t, root))
})

test('Nomad has every attribute and block that is written, and each has its type', async (t) => {
  const reader = await buildGo(t, 'nomad')
  if (reader === undefined) return
  // What Nomad would replace is refused, and that by a test of its own.
  const { root } = createReferenceProject(t, EVERYTHING.replace('$5 ${X} $(Y)', "$5 ${ %{ 'x' }"))
  const folder = await exportNomad(t, root)
  const files = globSync('*.nomad.hcl', { cwd: folder }).toSorted()
  assert.deepEqual(files, [
    'shop-clean_up.nomad.hcl',
    'shop-load.nomad.hcl',
    'shop-migrate.nomad.hcl',
    'shop.nomad.hcl',
  ])
  const { code, stdout, stderr } = await run(t, reader, files, { cwd: folder })
  assert.equal(code, 0, stderr)
  const tasks = JSON.parse(stdout) as Record<string, { argv: string[]; env: object; attributes: object }>
  assert.deepEqual(Object.keys(tasks).toSorted(), ['api', 'beat', 'clean_up', 'load', 'migrate', 'web', 'worker'])
  assert.deepEqual(tasks['clean_up']?.argv, ['python', '-m', 'django', 'clearsessions'])
  assert.deepEqual(tasks['web']?.env, { DJANGO_SETTINGS_MODULE: 'myproject.settings', PRICE: "$5 ${ %{ 'x' }" })
  assert.deepEqual(tasks['api']?.attributes, {
    driver: 'docker',
    user: '1234:99',
    kill_signal: 'SIGINT',
    kill_timeout: '30s',
    shutdown_delay: '5s',
  })
  // It can fail.
  writeFileSync(join(folder, 'wrong.hcl'), 'job "x" {\n  kind = "service"\n}\n')
  assert.match((await run(t, reader, ['wrong.hcl'], { cwd: folder })).stderr, /job\.kind: Nomad has no such attribute/)
})

test('a string of HCL is what it is', () => {
  assert.equal(quoteHcl('a "b" \\ \n'), String.raw`"a \"b\" \\ \n"`)
  assert.equal(quoteHcl('$X $5 % 100%'), '"$X $5 % 100%"')
  assert.equal(quoteHcl('${ x } %{ if y }'), '"$${ x } %%{ if y }"')
  assert.equal(quoteHcl('$${ x }'), String.raw`"\u0024\u0024{ x }"`)
})
