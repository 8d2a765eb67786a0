/**
 * `npm test`: everything that a test needs, then Node's own test runner.
 *
 * `npm test -- FILE...` runs only those files; options are passed on (`--test-name-pattern=web`).
 */
import { join } from 'node:path'
import { ensureBrokers } from './setup/brokers.mjs'
import { ensureBuild } from './setup/build.mjs'
import { become } from './setup/command.mjs'
import { environment, root } from './setup/environment.mjs'
import { ensureNodePackages } from './setup/node-packages.mjs'
import { ensureEnvironment } from './setup/python-environment.mjs'
import { main } from './setup/steps.mjs'
import { ensureTestPackages } from './setup/test-packages.mjs'

const everything = ['src/**/*.spec.ts', 'test/**/*.spec.ts']

await main(async () => {
  process.chdir(root)
  const node = await ensureNodePackages()
  await ensureBuild()
  const full = await ensureEnvironment(join(root, '.venv-test'), join(root, 'scripts', 'requirements-test.txt'))
  const older = await ensureEnvironment(join(root, '.venv-older'), join(root, 'scripts', 'requirements-older.txt'))
  const bare = await ensureEnvironment(join(root, '.venv-bare'))
  await ensureBrokers()
  await ensureTestPackages()
  const given = process.argv.slice(2)
  const options = given.filter((argument) => argument.startsWith('-'))
  const files = given.filter((argument) => !argument.startsWith('-'))
  const runner = [node, '--test', '--test-concurrency=2', ...options, ...(files.length > 0 ? files : everything)]
  return become(
    runner,
    environment({
      PRODSERVER_TEST_PYTHON: full.python,
      PRODSERVER_TEST_OLDER_PYTHON: older.python,
      PRODSERVER_TEST_BARE_PYTHON: bare.python,
    }),
  )
})
