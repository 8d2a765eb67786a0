import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { hasProgram, ROOT } from './environment.ts'
import { run } from './running.ts'

/** Builds a program of test/go, which reads a file with the engine's own library. Undefined where there is no Go. */
export async function buildGo(t: TestContext, name: string): Promise<string | undefined> {
  if (!hasProgram(t, 'go', 'apt-get install golang-go')) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-go-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const program = join(folder, name)
  const built = await run(t, 'go', ['build', '-o', program, `./${name}`], { cwd: join(ROOT, 'test', 'go') })
  assert.equal(built.code, 0, built.stderr)
  return program
}
