import type { Problem } from '../core/errors.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'

/** The problems with the file and the line in which the nearest thing to their place is written. */
export function locateProblems(problems: readonly Problem[], answer: SettingsAnswer): readonly Problem[] {
  const find = placeFinder(answer)
  return problems.map((problem) => {
    const at = find(problem.place)
    return at === undefined ? problem : { ...problem, at }
  })
}

/** Tells the file and the line of the nearest thing to a place; undefined where nothing near it is known. */
export function placeFinder({ lines = [] }: SettingsAnswer): (place: string) => string | undefined {
  const known = new Map(lines.map(([path, at]) => [JSON.stringify(path), at]))
  return (place) => {
    for (let path = pathOf(place); path.length > 0; path = path.slice(0, -1)) {
      const at = known.get(JSON.stringify(path))
      if (at !== undefined) return at
    }
    return undefined
  }
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
