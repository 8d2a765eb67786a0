import { readHeader } from '../header.ts'
import type { PlannedProbe, PlannedProject } from '../../plan/plan.ts'
import type { ExportedProcess } from '../input.ts'

/** Where the project lies in an image; the Dockerfile that comes along puts it there. */
export const IMAGE_ROOT = '/app'

interface FoundFiles {
  /** Names, without those of what an export has written. */
  readonly names: ReadonlySet<string>
  /** The text of the project's own Dockerfile; undefined where it has none. */
  readonly dockerfile: string | undefined
}

/** What a project has of its own, from all that lies in its folder. */
export function foundFiles(files: ReadonlyMap<string, string>): FoundFiles {
  const own = new Map([...files].filter(([, text]) => readHeader(text) === undefined))
  return { names: new Set(own.keys()), dockerfile: own.get('Dockerfile') ?? own.get('Containerfile') }
}

/** Where a Dockerfile of the project's own puts it: the last folder that it changes to. */
export function imageRoot(dockerfile: string | undefined): string {
  const folders = [...(dockerfile ?? '').matchAll(/^[ \t]*WORKDIR[ \t]+"?(\/[^\s"$]*)"?[ \t]*$/gim)].map(
    ([, folder]) => folder,
  )
  return folders.at(-1)?.replace(/(?<=.)\/+$/, '') ?? IMAGE_ROOT
}

/** What of this machine has another place in an image. */
export interface ImageLayout {
  readonly project: PlannedProject
  /** The Node that runs us. */
  readonly node: string
  /** Where the project lies in the image. */
  readonly root: string
}

/**
 * The process as it is started in an image: the interpreter and Node by their names, and the project's folder by its
 * place there. Paths outside the project are the image's own, and stay.
 */
export function inImage(exported: ExportedProcess, { project, node, root: to }: ImageLayout): ExportedProcess {
  const { root, python } = project
  const move = (text: string): string => moved(text, root, to)
  const scripts = python?.path.slice(0, python.path.lastIndexOf('/') + 1) ?? ''
  const program = (word: string): string => {
    if (word === python?.path) return 'python'
    if (word === node) return 'node'
    // What the project's environment brings is found by its name, as the interpreter is.
    return scripts !== '' && word.startsWith(scripts) ? word.slice(scripts.length) : move(word)
  }
  const inEnv = (name: string, value: string): string =>
    name === 'PATH' ? imagePath(value, { root, node, move }) : move(value)
  const inProbe = (probe: PlannedProbe): PlannedProbe =>
    probe.exec ? { ...probe, exec: probe.exec.map(program) } : probe
  const { ready, alive } = exported
  const argv = exported.argv.map((word, index) => (index === 0 ? program(word) : move(word)))
  return {
    ...exported,
    argv,
    activated: null,
    cwd: move(exported.cwd),
    env: Object.fromEntries(
      Object.entries(exported.env).map(([name, value]) => [name, value === null ? null : inEnv(name, value)]),
    ),
    listen: exported.listen.map(move),
    ready: inProbe(ready),
    alive: alive && inProbe(alive),
  }
}

/** What an image has on its path. */
const IMAGE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The script of a package has the path of this machine, behind the programs of packages and the Node that runs us: of
 * that, what lies in the project is in the image as well. A path that is declared stays.
 */
function imagePath(
  path: string,
  { root, node, move }: Pick<PlannedProject, 'root'> & { node: string; move: (text: string) => string },
): string {
  const folders = path.split(':')
  const at = folders.indexOf(node.slice(0, node.lastIndexOf('/')))
  if (at < 0) return move(path)
  return [
    ...folders
      .slice(0, at)
      .filter((folder) => folder.startsWith(`${root}/`))
      .map(move),
    IMAGE_PATH,
  ].join(':')
}

/** The folder wherever it stands in the text as a path, alone or in a list of them. */
function moved(text: string, root: string, to: string): string {
  let result = ''
  let rest = text
  for (let at = rest.indexOf(root); at >= 0; at = rest.indexOf(root)) {
    const after = rest.slice(at + root.length)
    const isPath = !/[\w.~-]$/.test(rest.slice(0, at)) && /^(\/|:|$|[^\w.-])/.test(after)
    result += rest.slice(0, at) + (isPath ? to : root)
    rest = after
  }
  return result + rest
}
