import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import { nearest } from '../../core/values.ts'
import type { Check } from './check.ts'

/** Dependencies are declared and enabled, and do not form a circle. */
export const dependencies: Check = {
  when: 'always',
  find: ({ processes, names }) => {
    const declarations = processes.map(({ declaration }) => declaration)
    return [...unknown(declarations, names), ...disabled(declarations), ...circular(declarations)]
  },
}

const unknown = (declarations: readonly Declaration[], names: readonly string[]): readonly Problem[] =>
  declarations.flatMap(({ name: process, dependsOn = {}, placeOf }) =>
    Object.keys(dependsOn)
      .filter((name) => !names.includes(name))
      .map((name): Problem => {
        const near = nearest(name, names)
        const message = `It depends on ${JSON.stringify(name)}, which is not declared.`
        const hint = near ? `Did you mean ${JSON.stringify(near)}?` : `Declared: ${names.join(', ')}`
        return { id: 'E109', place: placeOf('dependsOn'), process, message, hint }
      }),
  )

function disabled(declarations: readonly Declaration[]): readonly Problem[] {
  const idle = new Set(declarations.filter(({ enabled }) => enabled === false).map(({ name }) => name))
  return declarations.flatMap(({ name: process, enabled, dependsOn = {}, placeOf }) =>
    Object.keys(dependsOn)
      .filter((name) => enabled !== false && idle.has(name))
      .map((name): Problem => {
        const message = `It depends on ${JSON.stringify(name)}, which is not enabled: it starts only with that one.`
        const hint = `Enable it, or start both by name: prodserver up ${name} ${process}`
        return { id: 'W305', place: placeOf('dependsOn'), process, message, hint }
      }),
  )
}

function circular(declarations: readonly Declaration[]): readonly Problem[] {
  const circle = findCircle(declarations)
  const first = declarations.find(({ name }) => name === circle?.[0])
  if (!circle || !first) return []
  const message = `Processes depend on each other in a circle: ${[...circle, first.name].join(' → ')}.`
  const hint = 'Remove one of these dependencies'
  return [{ id: 'E110', place: first.placeOf('dependsOn'), process: first.name, message, hint }]
}

function findCircle(declarations: readonly Declaration[]): readonly string[] | undefined {
  const needs = new Map(declarations.map(({ name, dependsOn }) => [name, Object.keys(dependsOn ?? {})]))
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return path.slice(path.indexOf(name))
    if (done.has(name)) return undefined
    for (const next of needs.get(name) ?? []) {
      const found = visit(next, [...path, name])
      if (found) return found
    }
    done.add(name)
    return undefined
  }
  for (const name of needs.keys()) {
    const found = visit(name, [])
    if (found) return found
  }
  return undefined
}
