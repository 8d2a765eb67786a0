/**
 * `npm run bench`: how long things take beside their alternatives, measured in one run on one machine.
 *
 *     npm run bench -- [--rounds N] [--only TEXT] [--scale] [--json | --markdown]
 *
 * `--only supervise` measures `prodserver up` beside other process managers, and nothing else; `--scale` then shows how
 * that grows with the number of children.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compare, type Result } from './compare.ts'
import { listContests } from './contests.ts'
import { ensureEnvironments } from './environments.ts'
import { BIN, describeMachine, say } from './machine.ts'
import { endAll } from './measure.ts'
import { renderJson, renderMarkdown, renderText } from './report.ts'
import { measureSupervision, type Supervision } from './supervise/contests.ts'
import { endAllRuns } from './supervise/running.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: '' },
    scale: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is not a number of rounds`)
if (!existsSync(BIN)) throw new Error('There is no dist/ to measure. Build it: npm run build')

const environments = ensureEnvironments()
const folder = mkdtempSync(join(tmpdir(), 'prodserver-bench-'))
const cleanUp = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll()
    endAllRuns()
    cleanUp()
    process.kill(process.pid, signal)
  })
}
const results: Result[] = []
let supervision: Supervision | undefined
const isAlone = values.only === 'supervise'
try {
  for (const prepare of isAlone ? [] : listContests(environments, folder)) {
    const contest = await prepare()
    if (!contest.what.includes(values.only)) continue
    say(`measuring ${contest.what}`)
    results.push(await compare(contest, rounds))
  }
  // Only Linux tells what is measured of them.
  if (isAlone || (values.only === '' && existsSync('/proc/self/smaps_rollup'))) {
    const { prodserver: version = '' } = describeMachine(environments.full)
    const options = { python: environments.small, version, rounds, scale: values.scale }
    supervision = await measureSupervision(options, folder)
  }
} finally {
  cleanUp()
}
if (results.length === 0 && !supervision) throw new Error(`Nothing that is measured is called ${values.only}`)
process.stdout.write(chooseRenderer()({ machine: describeMachine(environments.full), results, supervision }))

function chooseRenderer(): typeof renderText {
  if (values.json) return renderJson
  return values.markdown ? renderMarkdown : renderText
}
