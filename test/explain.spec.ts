import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { type ProblemId, PROBLEMS } from '../src/core/errors.ts'
import { commandOf, type Example, PRINTED, PROBLEM_PAGES } from '../src/explain/index.ts'
import { splitWords } from '../src/core/shell-words.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { FIT } from './support/fit.ts'
import { hideVersions } from './support/mistakes.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver, startProdserver } from './support/running.ts'

/** The pages of problems: what they show is what the program prints. */

/** With this set, what the examples print is written down rather than compared: `npm run docs:examples`. */
const IS_WRITING = process.env['PRODSERVER_WRITE_EXAMPLES'] !== undefined

test('every problem has a page', () => {
  assert.deepEqual(Object.keys(PROBLEM_PAGES).toSorted(), Object.keys(PROBLEMS).toSorted())
})

const written: Record<string, string> = {}

for (const [key, page] of Object.entries(PROBLEM_PAGES)) {
  const id = key as ProblemId
  if (page.needs !== undefined) continue
  test(`the examples of ${id} are a bad one and a good one`, async (t) => {
    const [bad, good] = await Promise.all([
      printed(t, id, page.bad),
      typeof page.good === 'string' ? '' : printed(t, id, page.good),
    ])
    assert.match(bad, new RegExp(`^${id}  `, 'm'))
    assert.doesNotMatch(good, new RegExp(`^${id}  `, 'm'))
    if (IS_WRITING) written[id] = readable(bad)
    else if (page.varies !== true) assert.equal(comparable(bad), comparable(PRINTED[id] ?? ''))
  })
}

after(() => {
  if (!IS_WRITING) return
  const sorted = Object.fromEntries(Object.entries({ ...PRINTED, ...written }).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const head = '/** What the bad examples print, as they were last run: `npm run docs:examples`. */\n'
  const table = `export const PRINTED: Readonly<Record<string, string>> = ${JSON.stringify(sorted, null, 2)}\n`
  writeFileSync(join(ROOT, 'src', 'explain', 'printed.ts'), head + table)
})

const HOME = '/srv/mysite'

/** All that a person sees, with the project where one would have it. */
async function printed(t: TestContext, id: ProblemId, example: Example): Promise<string> {
  const settings = `${/^[EW]7/.test(id) ? FIT : ''}${example.settings ?? ''}`
  const root = createProject(t, { settings, files: { ...CELERY, ...example.files } })
  const before = readFileSync(join(root, 'mysite', 'settings.py'), 'utf8').split(example.settings || '\n\n\n')[0] ?? ''
  const state = mkdtempSync(join(tmpdir(), 'prodserver-state-'))
  t.after(() => rmSync(state, { recursive: true, force: true }))
  const words = splitWords(commandOf(example)) ?? []
  const at = words.indexOf('prodserver')
  const given = words.slice(0, at).map((word): [string, string] => {
    const [name = '', value = ''] = word.split('=')
    return [name, value]
  })
  const env = { PRODSERVER_STATE_DIR: join(state, 'state'), ...Object.fromEntries(given) }
  const running = startProdserver(t, words.slice(at + 1), { cwd: root, env })
  // What starts after all would go on until then.
  await running.ended(60_000)
  const output = running.stderr() + running.stdout()
  return shiftLines(output, before.split('\n').length - SHOWN_BEFORE)
    .replaceAll(realpathSync(root), HOME)
    .replaceAll(root, HOME)
    .replaceAll(join(state, 'state'), `/home/shop/.local/state/prodserver/mysite-4f1d2c3a`)
    .replaceAll(PYTHON, `${HOME}/.venv/bin/python`)
    .replaceAll(ROOT, `${HOME}/node_modules/prodserver`)
}

/** A page shows the name of the file, and then the lines that it adds to the usual ones. */
const SHOWN_BEFORE = 2

/** Lines of the settings as they are on the page. */
const shiftLines = (output: string, by: number): string =>
  output.replace(
    /(settings\.py(?::|", line ))(\d+)/g,
    (_, file: string, line: string) => `${file}${Number(line) > by ? Number(line) - by : Number(line)}`,
  )

const CELERY = { 'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite", broker="memory://")\n' }

/** With libraries where they would be. */
function readable(output: string): string {
  return output
    .replace(/\/\S*\/site-packages\//g, `${HOME}/.venv/lib/python3/site-packages/`)
    .replace(/^ *[~^]+ *\n/gm, '')
    .trimEnd()
}

/** Without versions, and where in a file it stands: the lines before are those of the test's project. */
const comparable = (output: string): string =>
  hideVersions(readable(output))
    .replace(/settings\.py:\d+/g, 'settings.py')
    .replace(/line \d+/g, 'line')
    .trimEnd()

test('prodserver explain prints the page, by its id however it is written', async (t) => {
  const explain = (id: string): Promise<Finished> => prodserver(t, ['explain', id], { cwd: tmpdir() })
  const [{ code, stdout }, lower, dotted] = await Promise.all([
    explain('E303'),
    explain('e303'),
    explain('prodserver.E303'),
  ])
  assert.equal(code, 0)
  assert.equal(lower.stdout, stdout)
  assert.equal(dotted.stdout, stdout)
  assert.match(stdout, /^E303\n\nThe installed version of the program has no such option\.\n/)
  assert.match(stdout, /^ {4}PRODUCTION_PROCESSES = .*wrokers/m)
  assert.match(stdout, /^ {10}→ Did you mean "workers"\?$/m)
  assert.doesNotMatch(stdout, /`|^#/m)
})

test('prodserver explain says what there is where nothing has that id', async (t) => {
  const finished = await prodserver(t, ['explain', 'E30'], { cwd: tmpdir() })
  assert.equal(finished.code, 2)
  assert.match(finished.stderr, /^prodserver: There is no problem E30\. Did you mean E30\d\?\n/)
  assert.equal((await prodserver(t, ['explain'], { cwd: tmpdir() })).code, 2)
})
