/** Everything but the first lines: what `bin.ts` loads once it knows that this Node can run it. */
export { processIo } from './cli/io.ts'
export { main } from './cli/main.ts'
