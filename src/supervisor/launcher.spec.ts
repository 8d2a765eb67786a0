import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeWorld, instanceAt, meetDependencies } from '../../test/support/world.ts'
import { Launcher } from './launcher.ts'
import { ManagedProcess } from './process/managed.ts'
import { Sockets } from './process/sockets.ts'
import { createProcessState } from './process/state.ts'
import type { Shim } from './shim/client.ts'
import { createSpec } from '../../test/support/specs.ts'

/** Returns processes that start through a shim which only notes its messages. */
function given(): { processes: readonly ManagedProcess[]; asked: string[]; launcher: Launcher } {
  const asked: string[] = []
  const shim = {
    notifySocket: '',
    log: () => {},
    start: ({ token }: { token: string }) => void asked.push(`start ${token}`),
    forget: (token: string) => void asked.push(`forget ${token}`),
    signal: (token: string, signal: string) => void asked.push(`${signal} ${token}`),
  } as unknown as Shim
  const launcher = new Launcher({
    stateDir: '/state',
    place: 'place',
    root: () => '/',
    shim: () => shim,
    isShimLost: () => false,
    sockets: new Sockets(() => shim, '/state'),
    saveNow: () => void asked.push('save'),
  })
  const { dependencies } = createFakeWorld()
  const { launch, signal, ended } = launcher
  const processes = ['web', 'worker'].map(
    (name) =>
      new ManagedProcess(createProcessState(createSpec({ name }), 0), { ...dependencies, launch, signal, ended }),
  )
  for (const managed of processes) {
    managed.dispatch({ type: 'start' })
    meetDependencies(managed)
  }
  return { processes, asked, launcher }
}

test('saves the numbers of new invocations before it starts them, once for all of one turn', async () => {
  const { processes, asked } = given()
  assert.deepEqual(asked, [])
  await Promise.resolve()
  assert.deepEqual(asked, ['save', 'start web.1#1', 'start worker.1#1'])
  for (const managed of processes) managed.leave()
})

test('ignores reports about an invocation that is not the current one', async () => {
  const { processes, asked, launcher } = given()
  await Promise.resolve()
  const [web] = processes
  assert.ok(web)
  launcher.onSpawned('web.1#7', 42, 1)
  assert.equal(instanceAt(web).state.invocation?.pid, null)
  launcher.onExited('web.1#7', { code: 0, signal: null })
  assert.equal(asked.at(-1), 'forget web.1#7')
  launcher.onSpawned('web.1#1', 42, 1)
  assert.equal(instanceAt(web).state.invocation?.pid, 42)
  for (const managed of processes) managed.leave()
})
