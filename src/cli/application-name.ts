import { basename } from 'node:path'

/** The name of the project's folder, in the letters that units, containers and objects of a cluster may have. */
export function applicationName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name || 'app'
}
