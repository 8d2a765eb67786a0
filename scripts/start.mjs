/** `npm start`: the example project, served by the real server, from nothing but a fresh clone. */
import { become } from './setup/command.mjs'
import { ensureBuild } from './setup/build.mjs'
import { environment, root } from './setup/environment.mjs'
import { ensureDatabase } from './setup/example-database.mjs'
import { ensureExamplePython } from './setup/example-python.mjs'
import { ensureNodePackages } from './setup/node-packages.mjs'
import { choosePort } from './setup/port.mjs'
import { main, say } from './setup/steps.mjs'

await main(async () => {
  process.chdir(root)
  const node = await ensureNodePackages()
  await ensureBuild()
  const record = await ensureExamplePython()
  await ensureDatabase(record)
  const port = await choosePort(process.env['PORT'])
  say(`serving http://127.0.0.1:${port}/ (Ctrl-C stops it)`)
  const run = ['dist/bin.js', 'run', '--project', 'example', '--python', record.python, 'web']
  return become([node, ...run, ...process.argv.slice(2)], environment({ PORT: String(port) }))
})
