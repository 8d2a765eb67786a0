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

/**
 * `PRODUCTION_PROCESSES["web"]["ARGS"]`, or `processes.web.args` in a config file, as its parts; empty where the place is
 * something else.
 */
function pathOf(place: string): readonly string[] {
  const [, first, keys = ''] =
    /^([A-Z][A-Z_]+|processes|defaults)((?:\["(?:[^"\\]|\\.)*"\]|\.[^.["]+)*)$/.exec(place) ?? []
  if (first === undefined) return []
  const parts = [...keys.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\.([^.["]+)/g)]
  return [first, ...parts.map(([, quoted, plain]) => plain ?? (JSON.parse(quoted ?? '""') as string))]
}
