import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { type Engine, ENGINES } from './support/engines.ts'
import { createRecords, deploy, exportTo, readRecord, recording } from './support/export.ts'
import { HARD } from './support/recorder.ts'
import { prodserver } from './support/running.ts'

/** What a line, a quote, a variable or an expansion of some target begins or ends with. */
const VALUES = [
  ...HARD,
  "'",
  '"',
  '\\',
  `\\'`,
  '\\"',
  '"\'"\'',
  '%',
  '%%',
  '%%%d',
  '%(x)s',
  '%(ENV_PATH)s',
  '$',
  '$$',
  '$PORT$PS$PATH',
  '${PATH}',
  '$$PATH',
  '$(echo)',
  ';',
  ' ; comment',
  '# at the start',
  'a #b ;c',
  '*',
  '~',
  '~root',
  '!',
  '@%i',
  'a=b,c="d"',
  '\n',
  '\n\n',
  'ends with\n',
  'one\n two\n\n# three\n; four',
  'a\\nb',
  '\t',
  '\r',
  'a\rb',
  'a\r\nb',
  '\u{1}\u{1b}[1m\u{7f}',
  'a\u{85}b\u{2028}c\u{a0}',
  '\u{b}\u{c}\u{1c}\u{1d}\u{1e}',
  '\u{feff}mark',
  ' before and after ',
  'ends with \\',
  'x'.repeat(100_000),
  'é'.repeat(2000),
]

for (const engine of ENGINES) {
  test(`what the plan says arrives byte for byte: ${engine.name}`, async (t) => {
    if (engine.isHere(t))
      await travel(
        t,
        engine,
        VALUES.map((value) => [value]),
      )
  })

  test(`and so do random values: ${engine.name}`, async (t) => {
    if (!engine.isHere(t)) return
    const character = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...SPECIAL.split('')) },
      { weight: 2, arbitrary: fc.constantFrom('a', 'PATH', '%%', '$$', '\\n', ' #', ' ;', '%(x)s', '${X}') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    )
    const value = fc
      .array(character, { maxLength: 12 })
      .map((parts) => parts.join('').replaceAll('\0', ''))
      .filter((text) => !text.includes('://'))
    const groups = fc.array(fc.array(value, { minLength: 5, maxLength: 5 }), { minLength: 25, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(groups, (some) => travel(t, engine, some)),
      { numRuns: 2, endOnFailure: true },
    )
  })
}

/** Characters that mean something to some target. */
const SPECIAL = `'"\\%$;#*~\`!&|<>(){}[]=,: \n\t\r`

interface Shown {
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, { readonly value: string | null }>>
}

/** Each value as an argument and as a variable; what is refused of one process leaves the others alone. */
async function travel(t: TestContext, engine: Engine, groups: readonly (readonly string[])[]): Promise<void> {
  const records = createRecords(t)
  const processes = groups.map((values, index) => {
    const variables = values.flatMap((value, at) => [
      [`VALUE_${at}`, value],
      [`INSIDE_${at}`, `-${value}-`],
    ])
    return [
      `v${index}`,
      {
        BACKEND: 'command',
        APP: recording(records, `v${index}`, [...values, 'and', ...values]),
        ENV: { ...Object.fromEntries(variables), HOME: null },
        READY: { delay: 0 },
      },
    ]
  })
  const cwd = deploy(t, Object.fromEntries(processes))
  const shown = await prodserver(t, ['show', '--json'], { cwd })
  const plan = JSON.parse(shown.stdout) as { readonly processes: readonly Shown[] }
  const options = [engine.target, '--out=out', ...engine.options]
  const first = await prodserver(t, ['export', ...options], { cwd })
  const refused = new Set(
    [...first.stderr.matchAll(/^E802\s+PRODUCTION_PROCESSES\["(v\d+)"\]/gm)].map(([, name = '']) => name),
  )
  assert.equal(first.code, refused.size > 0 ? 4 : 0, first.stderr)
  for (const name of refused) {
    const values = groups[Number(name.slice(1))] ?? []
    assert.ok(values.some(engine.mayRefuse), `${JSON.stringify(values)} is refused`)
  }
  const kept = plan.processes.filter(({ name }) => !refused.has(name))
  if (refused.size > 0) await exportTo(t, cwd, ...options, ...kept.map(({ name }) => name))
  const describe = await engine.start(t, join(cwd, 'out'))
  for (const { name, argv, env } of kept) {
    const started = await readRecord(records, name, describe)
    assert.deepEqual(started.argv, argv)
    assert.equal(started.cwd, cwd)
    const variables = Object.entries(env).map(([variable, { value }]) => [variable, value ?? undefined])
    assert.deepEqual(
      variables.map(([variable = '']) => [variable, started.env[variable ?? '']]),
      variables,
    )
  }
}
