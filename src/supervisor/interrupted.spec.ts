import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandWorld } from '../../test/support/command-world.ts'
import { createSpec } from '../../test/support/specs.ts'
import type { ActionRequest, ActionResult } from '../control/protocol.ts'
import { act, ActionError } from './actions.ts'
import { apply } from './apply.ts'
import { isMoving, othersIn, phaseOf } from './process/views.ts'
import type { Application, ProcessSpec } from './spec.ts'

const ready = { notify: true, intervalMs: 1, timeoutMs: 1, failures: 1, startMs: 60_000 } as const

const SPECS: readonly ProcessSpec[] = [
  createSpec({
    name: 'migrate',
    kind: 'task',
    run: 'release',
    restart: { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 },
  }),
  createSpec({ name: 'db', ready, reload: 'restart' }),
  createSpec({
    name: 'web',
    kind: 'web',
    ready: { ...ready, http: '/' },
    reload: 'rolling',
    instances: 2,
    dependsOn: { db: 'ready' },
    listen: ['127.0.0.1:8000'],
    inherited: { argv: ['/bin/true'], env: {}, listening: true },
  }),
  createSpec({ name: 'worker', ready, reload: 'rolling', dependsOn: { db: 'ready' } }),
]

const application = (specs: readonly ProcessSpec[], release: string): Application => ({
  project: { root: '/', settings: null, python: null, config: null },
  specs,
  only: null,
  release,
  reload: false,
})

const changed = SPECS.filter(({ name }) => name !== 'worker').map((spec) => ({ ...spec, hash: `${spec.name} changed` }))

type Command = (world: CommandWorld) => Promise<ActionResult>

const action =
  (request: Partial<ActionRequest>): Command =>
  ({ supervisor }) =>
    act(supervisor, { verb: 'stop', targets: [], ...request })

const COMMANDS: Readonly<Record<string, Command>> = {
  'up with another declaration': ({ supervisor }) => apply(supervisor, application(changed, 'v2')),
  reload: action({ verb: 'reload' }),
  restart: action({ verb: 'restart' }),
  'scale up': action({ verb: 'scale', counts: { web: '4' } }),
  'scale down': action({ verb: 'scale', counts: { web: '0' } }),
  stop: action({ verb: 'stop' }),
  'stop of one instance': action({ verb: 'stop', targets: ['web.1'] }),
  'stop --force': action({ verb: 'stop', force: true }),
  start: action({ verb: 'start' }),
  down: action({ verb: 'down' }),
}

/** Returns a world in which everything runs. */
async function started(): Promise<CommandWorld> {
  const world = new CommandWorld()
  const up = apply(world.supervisor, application(SPECS, 'v1'))
  await world.comeToRest()
  assert.equal((await up).exitCode, 0)
  return world
}

/** Runs a command to its end. A command that cannot be done now is refused. */
async function finish(command: Promise<ActionResult>): Promise<ActionResult | ActionError> {
  try {
    return await command
  } catch (error) {
    if (error instanceof ActionError) return error
    throw error
  }
}

async function countTurns(command: Command): Promise<number> {
  const world = await started()
  const done = finish(command(world))
  let turns = 0
  while (await world.turn()) turns++
  await done
  world.processes.leave()
  return turns
}

/** Checks that a command has ended, as nothing is under way any more. */
async function assertEnded(command: Promise<unknown>, when: string): Promise<void> {
  const waiting = Symbol('waiting')
  const result = await Promise.race([command, new Promise((settle) => setImmediate(settle, waiting))])
  assert.notEqual(result, waiting, `${when} has not ended`)
}

/** Checks that every process is in a state that nothing has to leave. */
function assertAtRest(world: CommandWorld, when: string): void {
  for (const { state } of world.processes.all) {
    assert.equal(state.reload, null, when)
    for (const slot of state.slots) {
      assert.deepEqual([slot.isLeaving, othersIn(slot)], [false, []], when)
      // An instance may wait for a dependency that was stopped.
      assert.ok(!isMoving(slot.current) || phaseOf(slot.current) === 'waiting', `${when}: ${phaseOf(slot.current)}`)
    }
  }
  const tokens = world.processes.instances.flatMap(({ state }) => state.invocation?.token ?? [])
  assert.deepEqual(new Set(world.running), new Set(tokens), when)
}

for (const [name, command] of Object.entries(COMMANDS)) {
  for (const [other, interrupt] of Object.entries(COMMANDS)) {
    test(`${other} at any moment of ${name} ends both, in a state at rest`, async () => {
      const turns = await countTurns(command)
      for (let at = 0; at <= turns; at++) {
        const when = `${other} after ${at} turns of ${name}`
        const world = await started()
        const first = finish(command(world))
        for (let turn = 0; turn < at; turn++) await world.turn()
        const second = finish(Promise.resolve().then(() => interrupt(world)))
        await world.comeToRest()
        await assertEnded(first, `${when}: the first command`)
        await assertEnded(second, `${when}: the second command`)
        assertAtRest(world, when)
        if ([name, other].includes('down')) assert.deepEqual(world.running, new Set(), when)
        world.processes.leave()
      }
    })
  }
}
