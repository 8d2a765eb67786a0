import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { ROOT } from '../../test/support/environment.ts'
import { createPlanned, exampleValue } from '../../test/support/specs.ts'
import { PART_KEYS, type ProcessKey } from '../generated/keys.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import { launchValues, PLANNED_FIELDS, type PlannedField } from '../plan/planned-keys.ts'
import { SHOWN_KEYS } from '../plan/shown-keys.ts'
import { toSpec } from '../supervisor/spec.ts'
import { KEYS, PROCESS_KEYS } from './schema.ts'

const plain = createPlanned()
const withExample = (key: ProcessKey): PlannedProcess => createPlanned({ [key]: exampleValue(key) })
const hashOf = (planned: PlannedProcess): string => toSpec(planned, { argv: ['/bin/true'], env: {} }).hash

for (const key of PROCESS_KEYS) {
  test(`${key} has a description, and an example that its schema accepts`, () => {
    assert.match(KEYS[key].description, /\.$|: `"027"`\.$/)
    assert.notEqual(exampleValue(key), undefined)
  })
}

for (const planned of PLANNED_FIELDS.filter(({ key }) => key !== 'cwd')) {
  test(`the plan, show, the hash and the shim carry ${planned.key} as its file says`, () => assertCarried(planned))
}

function assertCarried({ key, field, definition }: PlannedField): void {
  const example = withExample(key)
  assert.notDeepEqual(example[field], plain[field], 'the example differs from the default')
  for (const { [field]: value } of [example, plain])
    assert.equal(definition.shape(JSON.parse(JSON.stringify(value)), key), null)
  assert.notEqual(definition.shape('\0', key), null)
  assert.ok(SHOWN_KEYS.find((shown) => shown.key === key)?.show(example))
  assert.equal(hashOf(example) !== hashOf(plain), definition.hash !== undefined)
  assert.equal(key in launchValues(example), definition.isLaunched === true)
}

test('no two keys have the same place in the order', () => {
  const orders = PROCESS_KEYS.map((key) => KEYS[key].order)
  assert.equal(new Set(orders).size, orders.length)
})

test('a part of another key is shown with that key', () => {
  const planned = createPlanned({ schedule: '0 3 * * *', tz: 'Europe/Berlin' })
  for (const key of Object.keys(PART_KEYS))
    assert.equal(SHOWN_KEYS.find((shown) => shown.key === key)?.show(planned), planned.schedule?.tz)
})

test('the supervisor does not load the schema library', async () => {
  const entry = join(ROOT, 'src/supervisor/detached.ts')
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  })
  const [output] = Object.values(metafile.outputs)
  const loaded = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  assert.ok(loaded.some(([path]) => path.endsWith('config/keys/umask.ts')))
  assert.deepEqual(
    loaded.map(([path]) => path).filter((path) => path.includes('valibot')),
    [],
  )
})
