import * as v from 'valibot'
import { KEYS, type ProcessOptions, processSchema } from '../../src/config/schema.ts'
import type { ProcessKey } from '../../src/generated/keys.ts'
import type { PlannedProcess } from '../../src/plan/plan.ts'
import { plannedValues } from '../../src/plan/planned-values.ts'
import type { ProcessSpec } from '../../src/supervisor/spec.ts'

/** The declared keys of a process; a key that is left out has its default. */
type Declared = Partial<ProcessOptions>

/** Returns the example of a key, checked and normalized. */
export function exampleValue<Key extends ProcessKey>(key: Key): ProcessOptions[Key] {
  const declared = { backend: 'command', [key]: KEYS[key].example }
  return v.parse(processSchema, declared)[key]
}

/** Returns what a plan and a specification of a plain worker have in common. */
const plainWorker = (declared: Declared) => ({
  ...plannedValues(
    { backend: 'command', ...declared },
    { backend: {}, reference: declared.backend ?? 'command', cwd: declared.cwd ?? '/', processors: 1 },
  ),
  name: 'worker',
  kind: 'worker' as const,
  title: 'worker',
  listen: [],
  alone: null,
  inherited: null,
})

/** Returns the plan of a worker that declares these keys. */
export const createPlanned = (declared: Declared = {}): PlannedProcess => ({
  ...plainWorker(declared),
  place: 'PRODUCTION_PROCESSES["worker"]',
  argv: ['/bin/true'],
  argvFrom: [],
  env: {},
  activated: null,
  from: {},
  origins: {},
  notes: [],
})

/** Returns the specification of a plain worker that is ready at once, with the given changes. */
export const createSpec = (more: Partial<ProcessSpec> = {}): ProcessSpec => ({
  ...plainWorker({ ready: { delay: 0 }, log: { compress: false } }),
  argv: ['/bin/true'],
  env: {},
  hash: 'as declared',
  ...more,
})
