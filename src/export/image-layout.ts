import type { PlannedProject } from '../plan/plan.ts'
import type { ExportedProcess } from './target.ts'

/** Where the project lies in an image; the Dockerfile that comes along puts it there. */
export const IMAGE_ROOT = '/app'

/**
 * The process as it is started in an image: the interpreter and Node by their names, and the project's folder by its
 * place there. Paths outside the project are the image's own, and stay.
 */
export function inImage(exported: ExportedProcess, { root, python }: PlannedProject, node: string): ExportedProcess {
  const move = (text: string): string => moved(text, root)
  const program = (word: string): string => (word === python?.path ? 'python' : word === node ? 'node' : move(word))
  const { ready, alive } = exported
  const argv = exported.argv.map((word, index) => (index === 0 ? program(word) : move(word)))
  return {
    ...exported,
    argv,
    inherited: null,
    activated: null,
    cwd: move(exported.cwd),
    env: Object.fromEntries(
      Object.entries(exported.env).map(([name, value]) => [name, value === null ? null : move(value)]),
    ),
    listen: exported.listen.map(move),
    ready: { ...ready, ...(ready.exec && { exec: ready.exec.map(program) }) },
    alive: alive && { ...alive, ...(alive.exec && { exec: alive.exec.map(program) }) },
  }
}

/** The folder wherever it stands in the text as a path, alone or in a list of them. */
function moved(text: string, root: string): string {
  let result = ''
  let rest = text
  for (let at = rest.indexOf(root); at >= 0; at = rest.indexOf(root)) {
    const after = rest.slice(at + root.length)
    const isPath = !/[\w.~-]$/.test(rest.slice(0, at)) && /^(\/|:|$|[^\w.-])/.test(after)
    result += rest.slice(0, at) + (isPath ? IMAGE_ROOT : root)
    rest = after
  }
  return result + rest
}
