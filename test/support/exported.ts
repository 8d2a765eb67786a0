import type { ExportedProcess, ExportInput } from '../../src/export/input.ts'
import { createPlanned } from './specs.ts'

/** Returns a process as targets get it, with the given changes to a plain worker. */
export const exportedProcess = (given: Partial<ExportedProcess> & { readonly name: string }): ExportedProcess => ({
  ...createPlanned({ cwd: '/app' }),
  place: `PRODUCTION_PROCESSES[${JSON.stringify(given.name)}]`,
  title: 'command',
  argv: ['/usr/bin/python3', '-m', 'app'],
  env: {},
  collectsStatic: false,
  activated: null,
  ...given,
})

/** What a target is given, for a project with a Dockerfile of its own. */
export function exportInput(processes: readonly ExportedProcess[], given: Partial<ExportInput> = {}): ExportInput {
  return {
    name: 'shop',
    project: {
      root: '/srv/shop',
      settings: { module: 'shop.settings', reason: 'manage.py' },
      python: { path: '/srv/shop/.venv/bin/python', version: '3.13.5', reason: '.venv' },
      config: null,
    },
    processes,
    user: undefined,
    image: 'shop:1',
    envFrom: [],
    environments: [],
    autoscale: [],
    found: new Set(['Dockerfile']),
    folders: { root: '', out: '' },
    collector: undefined,
    ...given,
  }
}
