import assert from 'node:assert/strict'
import { findBackend } from '../../src/backends/index.ts'
import type { Declaration } from '../../src/config/declarations.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Disk } from '../../src/plan/disk.ts'
import type { Facts, ProcessFacts } from '../../src/plan/facts.ts'
import type { PlannedProcess } from '../../src/plan/plan.ts'
import type { ResolvedProcess } from '../../src/plan/resolve/resolved-process.ts'

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

/** A process whose backend is known, without an application and without options unless they are given. */
export function createResolved(
  more: Partial<ResolvedProcess> & Pick<ResolvedProcess, 'declaration'>,
): ProcessFacts & { readonly resolved: ResolvedProcess } {
  const { declaration } = more
  const backend = more.backend ?? findBackend(declaration.backend)
  assert.ok(backend)
  const found = { backend, reference: backend.name }
  const translation = { options: [], problems: [] }
  const application = { value: undefined }
  const resolved = { backend, found, cwd: '/srv/shop', application, translation, notes: [], ...more }
  return { declaration, found, resolved, problems: [] }
}
