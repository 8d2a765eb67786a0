import { join } from 'node:path'

/** Programs that lie beside the code, before and after it is built. */
export const keeperProgram: string = join(import.meta.dirname, 'keeper')
export const serveProgram: string = join(import.meta.dirname, 'serve.py')
/** Loaded before a Node server. */
export const serveNodeProgram: string = join(import.meta.dirname, 'serve-node.cjs')
