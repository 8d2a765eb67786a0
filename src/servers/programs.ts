import { join } from 'node:path'

/** Python file that runs a web server on sockets that are already open. */
export const serveProgram: string = join(import.meta.dirname, 'serve.py')
/** Script loaded before a Node server. */
export const serveNodeProgram: string = join(import.meta.dirname, 'serve-node.cjs')
/** Script that runs a BullMQ worker module. */
export const bullmqWorkerProgram: string = join(import.meta.dirname, 'bullmq-worker.cjs')
