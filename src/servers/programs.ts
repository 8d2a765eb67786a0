import { join } from 'node:path'

/** Python program that runs a web server on sockets that are already open. */
export const pythonRunner: string = join(import.meta.dirname, 'prodserver_runner', '__main__.py')
/** Script loaded before a Node server. */
export const serveNodeProgram: string = join(import.meta.dirname, 'serve-node.cjs')
/** Script that runs a BullMQ worker module. */
export const bullmqWorkerProgram: string = join(import.meta.dirname, 'bullmq-worker.cjs')
