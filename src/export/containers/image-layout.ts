import { readHeader } from '../header.ts'
import type { PlannedProbe, PlannedProject } from '../../plan/plan.ts'
import type { ExportedProcess } from '../input.ts'

/** Folder of the project in an image; the exported Dockerfile copies the project there. */
export const IMAGE_ROOT = '/app'

/**
 * Selects the project's own files from those in its folder.
 *
 * @returns the names of the files, and the text of the project's own Dockerfile if it has one
 */
export function foundFiles(files: ReadonlyMap<string, string>) {
  const own = new Map([...files].filter(([, text]) => readHeader(text) === undefined))
  return { names: new Set(own.keys()), dockerfile: own.get('Dockerfile') ?? own.get('Containerfile') }
}

/** Returns the folder of the project in the image of its own Dockerfile: the last `WORKDIR`. */
export function imageRoot(dockerfile = ''): string {
  const found = [...dockerfile.matchAll(/^[ \t]*WORKDIR[ \t]+"?(\/[^\s"$]*)"?[ \t]*$/gim)].at(-1)
  return found?.[1]?.replace(/(?<=.)\/+$/, '') ?? IMAGE_ROOT
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
  const scripts = python?.path.slice(0, python.path.lastIndexOf('/') + 1)
  const program = (word: string): string => {
    if (word === python?.path) return 'python'
    if (word === node) return 'node'
    // The image has the programs of the project's environment on its PATH.
    return scripts && word.startsWith(scripts) ? word.slice(scripts.length) : move(word)
  }
  const inProbe = (probe: PlannedProbe): PlannedProbe =>
    probe.exec ? { ...probe, exec: probe.exec.map(program) } : probe
  const env = Object.entries(exported.env).map(([name, value]) => {
    const folders = name === 'PATH' && value !== null ? projectFolders(value, root, node) : undefined
    const text = folders ? [...folders, IMAGE_PATH].join(':') : value
    return [name, text && move(text)] as const
  })
  return {
    ...exported,
    argv: exported.argv.map((word, index) => (index === 0 ? program(word) : move(word))),
    activated: null,
    cwd: move(exported.cwd),
    env: Object.fromEntries(env),
    listen: exported.listen.map(move),
    ready: inProbe(exported.ready),
    alive: exported.alive && inProbe(exported.alive),
  }
}

/** PATH of an image. */
const IMAGE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Returns the folders of the project on PATH; undefined for a declared PATH. The script of a package runs with the PATH of
 * this machine behind the folder of Node, and an image has only the folders of the project.
 */
function projectFolders(path: string, root: string, node: string): readonly string[] | undefined {
  const folders = path.split(':')
  const at = folders.indexOf(node.slice(0, node.lastIndexOf('/')))
  return at < 0 ? undefined : folders.slice(0, at).filter((folder) => folder.startsWith(`${root}/`))
}

/** Replaces a folder wherever it stands in the text as a path, alone or in a list of paths. */
const moved = (text: string, root: string, to: string): string =>
  text.replaceAll(root, (_, at: number) => {
    const isPath = !/[\w.~-]$/.test(text.slice(0, at)) && /^(\/|:|$|[^\w.-])/.test(text.slice(at + root.length))
    return isPath ? to : root
  })
