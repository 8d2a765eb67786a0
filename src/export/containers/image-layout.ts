import { readHeader } from '../header.ts'
import type { PlannedProbe, PlannedProject } from '../../plan/plan.ts'
import type { ExportedProcess } from '../input.ts'

/** Folder of the project in an image; the exported Dockerfile copies the project there. */
export const IMAGE_ROOT = '/app'

interface FoundFiles {
  /** Names of files, without those that an export has written. */
  readonly names: ReadonlySet<string>
  /** Text of the project's own Dockerfile; undefined if it has none. */
  readonly dockerfile: string | undefined
}

/** Selects the project's own files from those in its folder. */
export function foundFiles(files: ReadonlyMap<string, string>): FoundFiles {
  const own = new Map([...files].filter(([, text]) => readHeader(text) === undefined))
  return { names: new Set(own.keys()), dockerfile: own.get('Dockerfile') ?? own.get('Containerfile') }
}

/** Returns the folder of the project in the image of its own Dockerfile: the last `WORKDIR`. */
export function imageRoot(dockerfile: string | undefined): string {
  const folders = [...(dockerfile ?? '').matchAll(/^[ \t]*WORKDIR[ \t]+"?(\/[^\s"$]*)"?[ \t]*$/gim)].map(
    ([, folder]) => folder,
  )
  return folders.at(-1)?.replace(/(?<=.)\/+$/, '') ?? IMAGE_ROOT
}

/** Paths of this machine that are different in an image. */
export interface ImageLayout {
  readonly project: PlannedProject
  /** Path of the Node that runs prodserver. */
  readonly node: string
  /** Folder of the project in the image. */
  readonly root: string
}

/**
 * Converts a process for an image: the interpreter and Node become names, and paths of the project become those in the
 * image. Other paths stay.
 */
export function inImage(exported: ExportedProcess, { project, node, root: to }: ImageLayout): ExportedProcess {
  const { root, python } = project
  const move = (text: string): string => moved(text, root, to)
  const scripts = python?.path.slice(0, python.path.lastIndexOf('/') + 1) ?? ''
  const program = (word: string): string => {
    if (word === python?.path) return 'python'
    if (word === node) return 'node'
    // The image has the programs of the project's environment on its PATH.
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

/** PATH of an image. */
const IMAGE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Converts PATH. The script of a package runs with the PATH of this machine behind the folder of Node: of that, an image
 * has only the folders of the project. A declared PATH stays.
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

/** Replaces a folder wherever it stands in the text as a path, alone or in a list of paths. */
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
