import { join } from 'node:path'

/** Python package of the shim, run as a program. */
export const shimProgram: string = join(import.meta.dirname, 'prodserver_shim')
