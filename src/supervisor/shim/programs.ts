import { join } from 'node:path'

/** Python program of the shim. */
export const shimProgram: string = join(import.meta.dirname, 'prodserver_shim', '__main__.py')
