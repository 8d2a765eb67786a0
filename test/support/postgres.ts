import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanEnv, findProgram, hasProgram } from './environment.ts'
import { freePort } from './net.ts'
import { waitUntil } from './running.ts'

/**
 * A PostgreSQL of the test's own, on the loopback interface only, which goes with the test: the URL of an empty
 * database. Undefined (and the test skipped) where it is not installed.
 */
export async function usePostgres(t: TestContext): Promise<string | undefined> {
  if (!hasProgram(t, 'postgres', 'apt-get install postgresql')) return undefined
  const home = mkdtempSync(join(tmpdir(), 'prodserver-postgres-'))
  t.after(() => rmSync(home, { recursive: true, force: true, maxRetries: 3 }))
  const data = join(home, 'data')
  const asWhom = notAsRoot(home)
  const env = cleanEnv({ HOME: home, LC_ALL: 'C', TZ: 'UTC' })
  const run = (program: string, ...args: string[]): void => {
    const [command = '', ...words] = [...asWhom, findProgram(program) ?? program, ...args]
    const { status, stdout, stderr } = spawnSync(command, words, { env, cwd: home, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program} ended with ${status}.\n${stdout}${stderr}`)
  }
  run('initdb', '-D', data, '-U', 'shop', '--auth=trust', '--no-sync', '-E', 'UTF8')
  const port = await freePort()
  const options = ['-D', data, '-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-k', home, '-F']
  const [command = '', ...words] = [...asWhom, findProgram('postgres') as string, ...options]
  const server = spawn(command, words, { env, cwd: home, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let output = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(server, 'exit')
  t.after(async () => {
    // Clients are let go at once; a killed one would leave shared memory behind.
    server.kill('SIGINT')
    await ended
  })
  await waitUntil(
    () => {
      if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}.\n${output}`)
      return output.includes('ready to accept connections') || undefined
    },
    60_000,
    () => `postgres is not ready.\n${output}`,
  )
  run('createdb', '-h', '127.0.0.1', '-p', `${port}`, '-U', 'shop', 'my shop')
  return `postgres://shop:se%40cret@127.0.0.1:${port}/my%20shop`
}

/** It refuses to run as root: what runs a command as somebody else, who is given the folder. */
function notAsRoot(home: string): readonly string[] {
  if (process.getuid?.() !== 0) return []
  const nobody = 65_534
  chownSync(home, nobody, nobody)
  return [findProgram('setpriv') ?? 'setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
}
