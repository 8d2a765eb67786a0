import type { Declaration } from '../../config/declarations.ts'
import { nearest } from '../../core/values.ts'
import type { Problem } from '../../core/errors.ts'

/** Dependencies on names that do not exist, and circles. */
export function checkDependencies(declarations: readonly Declaration[], names: readonly string[]): readonly Problem[] {
  const unknown = declarations.flatMap((declaration) =>
    Object.keys(declaration.dependsOn ?? {})
      .filter((name) => !names.includes(name))
      .map((name): Problem => {
        const near = nearest(name, names)
        return {
          id: 'E109',
          place: declaration.placeOf('dependsOn'),
          process: declaration.name,
          message: `It depends on ${JSON.stringify(name)}, which is not declared.`,
          hint: near ? `Did you mean ${JSON.stringify(near)}?` : `Declared: ${names.join(', ')}`,
        }
      }),
  )
  const idle = new Set(declarations.filter(({ enabled }) => enabled === false).map(({ name }) => name))
  const waiting = declarations.flatMap(({ name: process, enabled, dependsOn = {}, placeOf }) =>
    Object.keys(dependsOn)
      .filter((name) => enabled !== false && idle.has(name))
      .map((name): Problem => {
        const message = `It depends on ${JSON.stringify(name)}, which is not enabled: it starts only with that one.`
        const hint = `Enable it, or start both by name: prodserver up ${name} ${process}`
        return { id: 'W305', place: placeOf('dependsOn'), process, message, hint }
      }),
  )
  const found = [...unknown, ...waiting]
  const circle = findCircle(declarations)
  if (!circle) return found
  const [first] = circle
  const declaration = declarations.find(({ name }) => name === first) as Declaration
  return [
    ...found,
    {
      id: 'E110',
      place: declaration.placeOf('dependsOn'),
      process: declaration.name,
      message: `Processes depend on each other in a circle: ${[...circle, first].join(' → ')}.`,
      hint: 'Remove one of these dependencies',
    },
  ]
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
