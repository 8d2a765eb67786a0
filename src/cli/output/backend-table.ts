import type { KnownBackend } from '../../plan/resolve/known-backends.ts'
import { type Paint, renderTable } from './print.ts'

/** Renders a table of backends, and below it the commands that install missing packages. */
export function renderBackends(backends: readonly KnownBackend[], paint: Paint, columns: number | undefined): string {
  const rows = backends.map((backend) => [
    backend.name,
    backend.kind ?? '-',
    installedWord(backend),
    usableWord(backend, paint),
    backend.summary,
  ])
  const table = renderTable(['NAME', 'KIND', 'INSTALLED', 'USABLE', 'RUNS'], rows, paint, columns)
  const needs = [...needsOf(backends)].map(([hint, names]) => [[...names].join(', '), hint])
  return needs.length === 0 ? table : `${table}\n${renderNeeds(needs, paint)}`
}

function installedWord({ installed, usable, from }: KnownBackend): string {
  if (installed !== null) return installed
  return usable === null && from === 'built-in' ? '?' : '-'
}

function usableWord({ usable }: KnownBackend, paint: Paint): string {
  if (usable === null) return '?'
  return usable ? paint('green', 'yes') : paint('red', 'no')
}

/** Groups backends by the command that they need, because several can lack the same package. */
function needsOf(backends: readonly KnownBackend[]): ReadonlyMap<string, ReadonlySet<string>> {
  const needs = new Map<string, Set<string>>()
  for (const { name, missing } of backends) {
    for (const { message, hint, option, what } of missing) {
      const arrow = hint === null ? '' : ` → ${hint}`
      const step = what === 'backend' || hint === null ? `${message}${arrow}` : hint
      needs.set(step, (needs.get(step) ?? new Set()).add(option === undefined ? name : `${name} ${option}`))
    }
  }
  return needs
}

/** Lines to be copied, so they are never cut. */
const renderNeeds = (needs: readonly (readonly string[])[], paint: Paint): string =>
  needs.map(([names = '', step = '']) => `${paint('bold', names)}\n  ${step}\n`).join('')
