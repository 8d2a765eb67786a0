#!/usr/bin/env node
// Nothing is imported statically: the version is answered and an old Node refused before anything is loaded.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const argv = process.argv.slice(2)

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `prodserver: cannot run on Node ${process.versions.node}; it needs 22.18 or newer.\nInstall one beside it: npm install node@24, then: npx prodserver\n`,
  )
  process.exitCode = 1
} else if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.getBuiltinModule('node:fs').writeSync(1, `${PRODSERVER_VERSION}\n`)
} else {
  // Synchronously: the loader behind import() takes longer to start than the whole program to load. Node's compile cache
  // gains nothing measurable, and its folder in /tmp is not a place to take a program from.
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)
  const program = typeof PRODSERVER_PROGRAM === 'string' ? PRODSERVER_PROGRAM : './program.ts'
  const { main, processIo } = require(program) as typeof import('./program.ts')
  process.exitCode = await main(argv, processIo())
}

declare const PRODSERVER_VERSION: string
/** Where the program lies once it is built. */
declare const PRODSERVER_PROGRAM: string | undefined
