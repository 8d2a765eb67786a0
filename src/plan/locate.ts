import type { Problem } from '../errors.ts'
import type { SettingsAnswer } from '../source/django.ts'

/** The problems with the file and the line in which the nearest thing to their place is written. */
export function locateProblems(problems: readonly Problem[], { lines = [] }: SettingsAnswer): readonly Problem[] {
  if (lines.length === 0) return problems
  const known = new Map(lines.map(([path, at]) => [JSON.stringify(path), at]))
  return problems.map((problem) => {
    for (let path = pathOf(problem.place); path.length > 0; path = path.slice(0, -1)) {
      const at = known.get(JSON.stringify(path))
      if (at !== undefined) return { ...problem, at }
    }
    return problem
  })
}

/** `PRODUCTION_PROCESSES["web"]["ARGS"]` as its parts; empty where the place is something else. */
function pathOf(place: string): readonly string[] {
  const [, setting, keys = ''] = /^([A-Z][A-Z_]+)((?:\["(?:[^"\\]|\\.)*"\])*)$/.exec(place) ?? []
  if (setting === undefined) return []
  return [
    setting,
    ...[...keys.matchAll(/\[("(?:[^"\\]|\\.)*")\]/g)].map(([, text = '""']) => JSON.parse(text) as string),
  ]
}
