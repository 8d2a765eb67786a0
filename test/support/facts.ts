import assert from 'node:assert/strict'
import type { Declaration } from '../../src/config/declarations.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Disk } from '../../src/plan/disk.ts'
import type { Facts, ProcessFacts } from '../../src/plan/facts.ts'
import type { PlannedProcess } from '../../src/plan/plan.ts'

/** A machine without files. */
const EMPTY_DISK: Disk = {
  exists: () => false,
  namesIn: () => [],
  seesModule: () => false,
  installedVersion: () => undefined,
  whyUnreadable: () => null,
  whyUnwritable: () => null,
}

/** Facts for a check, with only the members that the check looks at. */
export function createFacts(processes: readonly ProcessFacts[], more: Partial<Facts> = {}): Facts {
  const project = {
    root: '/srv/shop',
    python: { path: '/venv/bin/python', install: 'pip install' },
  } as Facts['project']
  const names = processes.map(({ declaration }) => declaration.name)
  const answer = { settings: {}, modules: {}, path: [] } as unknown as Facts['answer']
  return { project, answer, python: undefined, names, processes, disk: EMPTY_DISK, nowMs: 0, ...more }
}

/** A declaration whose places are the path of their key: `web.dependsOn`. */
export const createDeclaration = (more: Partial<Declaration> & Pick<Declaration, 'name'>): Declaration =>
  ({
    backend: 'gunicorn',
    place: more.name,
    wrong: [],
    overrides: [],
    placeOf: (...keys: readonly string[]) => [more.name, ...keys].join('.'),
    ...more,
  }) as Declaration

/** A process that was planned, with only the given members of the result. */
export const createPlanned = (planned: Partial<PlannedProcess> & Pick<PlannedProcess, 'name'>): ProcessFacts => ({
  declaration: createDeclaration({ name: planned.name }),
  planned: { place: planned.name, listen: [], enabled: true, ...planned } as PlannedProcess,
  problems: [],
})

/** The problems that a check finds at once. */
export function problemsOf<F extends Facts>(
  check: { readonly find: (facts: F) => readonly Problem[] | Promise<readonly Problem[]> },
  facts: F,
): readonly Problem[] {
  const found = check.find(facts)
  assert.ok(!(found instanceof Promise))
  return found
}
