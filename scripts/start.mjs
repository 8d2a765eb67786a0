/**
 * `npm start`: the example project with all that it declares, from nothing but a fresh clone.
 *
 * `npm start -- ps` and the like ask the supervisor that it started, or that runs already.
 */
import { ensureBuild } from './setup/build.mjs'
import { become } from './setup/command.mjs'
import { environment, root } from './setup/environment.mjs'
import { ensureServicePackages } from './setup/example-services.mjs'
import { ensureExamplePython } from './setup/example-python.mjs'
import { addressesOf, exampleState, howItRuns, readPorts, releaseOf, writePorts } from './setup/example-state.mjs'
import { ensureNodePackages } from './setup/node-packages.mjs'
import { choosePorts } from './setup/port.mjs'
import { main, say } from './setup/steps.mjs'

await main(async () => {
  process.chdir(root)
  const node = await ensureNodePackages()
  await ensureBuild()
  const record = await ensureExamplePython()
  await ensureServicePackages(record)
  const state = exampleState()
  const running = await howItRuns(state)
  const before = running && readPorts(state)
  const given = process.argv.slice(2)
  const isUp = given.length === 0 || given[0]?.startsWith('-')
  if (before && running === 'supervised' && given.length === 0) {
    say(`it runs already: ${addressesOf(before)}`)
    say('look: npm start -- ps; new code: npm start -- reload; stop: npm start -- down')
    return 0
  }
  // What a supervisor that was killed has left goes on at its addresses.
  const ports = before ?? (isUp ? await choosePorts(process.env) : {})
  if (isUp) {
    writePorts(state, ports)
    say(`${addressesOf(ports)}; Ctrl-C stops all`)
  }
  const [command = 'up', ...rest] = isUp ? ['up', ...given] : given
  const release = ['up', 'reload'].includes(command) ? ['--release', releaseOf(state, record)] : []
  const where = ['--project', 'example', '--python', record.python]
  const env = environment({ ...ports, DATA_DIR: state.data, PRODSERVER_STATE_DIR: state.supervisor })
  return become([node, 'dist/bin.js', command, ...where, ...release, ...rest], env)
})
