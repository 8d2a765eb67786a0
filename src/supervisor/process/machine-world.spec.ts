import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { step } from './machine.ts'
import { adoptedState, type Effect, type Event, initialState, type Policy, type State } from './machine-state.ts'

/** What may happen around one instance. `pick` chooses among those that it may happen to. */
type Happening =
  | { readonly what: 'asked'; readonly type: 'start' | 'dependencies-met' | 'stop' | 'restart' | 'kill' | 'skip' }
  /** The shim answers a spawn. */
  | { readonly what: 'answer'; readonly outcome: 'spawned' | 'failed' | 'failed permanently' }
  | { readonly what: 'exit'; readonly code: number | null; readonly permanent: boolean }
  /** The oldest message of the shim arrives. */
  | { readonly what: 'message' }
  | { readonly what: 'probe'; readonly type: 'ready' | 'probe-failed' }
  | { readonly what: 'sweep'; readonly leaves: boolean }
  /** A timer fires, on time or not. */
  | { readonly what: 'timer'; readonly pick: number }
  /** Something that was told before is told again. */
  | { readonly what: 'echo'; readonly pick: number }
  | { readonly what: 'time'; readonly ms: number }

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('asked'), type: fc.constantFrom('start', 'dependencies-met') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('asked'),
      type: fc.constantFrom('start', 'dependencies-met', 'stop', 'restart', 'kill', 'skip'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('answer'),
      outcome: fc.constantFrom('spawned', 'spawned', 'spawned', 'failed', 'failed permanently'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('exit'),
      code: fc.constantFrom(0, 1, null),
      permanent: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('message') }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('probe'), type: fc.constantFrom('ready', 'ready', 'probe-failed') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('sweep'), leaves: fc.constantFrom(false, false, false, true) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('timer'), pick: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('echo'), pick: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('time'), ms: fc.nat(100_000) }) },
)

const policy: fc.Arbitrary<Policy> = fc.record({
  restart: fc.record({
    policy: fc.constantFrom('always', 'on-failure', 'never'),
    delayMs: fc.constantFrom(0, 10, 1000),
    maxDelayMs: fc.constantFrom(0, 500, 60_000),
    limit: fc.integer({ min: 1, max: 5 }),
    windowMs: fc.constantFrom(1, 1000, 600_000),
  }),
  stopTimeoutMs: fc.constantFrom(0, 30_000),
  completes: fc.boolean(),
})

type Life = 'asked for' | 'alive' | 'gone' | 'known to be gone' | 'over'

/** Carries out effects as the system may, and checks at each that it may be. */
class World {
  state: State
  readonly #policy: Policy
  readonly #random: number
  readonly #lives = new Map<number, Life>()
  readonly #told: Event[] = []
  #messages: Event[] = []
  #timers: { readonly seq: number; readonly dueMs: number }[] = []
  #sweeps: number[] = []
  #nowMs = 0
  spawns = 0

  constructor(policy: Policy, random: number, state: State) {
    this.#policy = policy
    this.#random = random
    this.state = state
    const { phase, number, seq } = state
    if ('pid' in phase) this.#lives.set(number, 'alive')
    // Whoever takes a life over that is stopping sets its time anew.
    if (phase.is === 'stopping') this.#timers.push({ seq, dueMs: policy.stopTimeoutMs })
  }

  happen(happening: Happening): void {
    const { number } = this.state
    switch (happening.what) {
      case 'asked':
        return this.#tell({ type: happening.type })
      case 'answer':
        return this.#answer(happening.outcome)
      case 'exit':
        return this.#exit(happening.code, happening.permanent)
      case 'message': {
        const message = this.#messages.shift()
        if (message) this.#tell(message)
        return
      }
      case 'probe':
        return this.#tell({ type: happening.type, number, reason: 'no answer' })
      case 'sweep':
        return this.#sweep(happening.leaves)
      case 'timer': {
        const [timer] = this.#timers.splice(happening.pick % Math.max(this.#timers.length, 1), 1)
        if (timer) this.#tell({ type: 'elapsed', seq: timer.seq })
        return
      }
      case 'echo': {
        const again = this.#told[happening.pick % Math.max(this.#told.length, 1)]
        // Nobody sweeps one life twice at a time, so nobody tells its end twice.
        if (again && !(again.type === 'cleaned' && again.number === number)) this.#tell(again)
        return
      }
      case 'time':
        this.#nowMs += happening.ms
        return
      default:
        happening satisfies never
    }
  }

  /** Everything that is due happens, until nothing is. A life ends when it is killed, and not before. */
  comeToRest(): void {
    for (let rounds = 0; rounds < 50; rounds++) {
      this.happen({ what: 'answer', outcome: 'spawned' })
      while (this.#messages.length > 0) this.happen({ what: 'message' })
      while (this.#sweeps.length > 0) this.happen({ what: 'sweep', leaves: false })
      this.happen({ what: 'timer', pick: 0 })
    }
  }

  get livesThatAreLeft(): readonly number[] {
    return [...this.#lives].filter(([, life]) => life !== 'over').map(([number]) => number)
  }

  #answer(outcome: Extract<Happening, { what: 'answer' }>['outcome']): void {
    const [number] = [...this.#lives].find(([, life]) => life === 'asked for') ?? []
    if (number === undefined) return
    const isSpawned = outcome === 'spawned'
    this.#lives.set(number, isSpawned ? 'alive' : 'over')
    this.#messages.push(
      isSpawned
        ? { type: 'spawned', number, pid: 1000 + number }
        : { type: 'spawn-failed', number, reason: 'no', permanent: outcome === 'failed permanently' },
    )
  }

  #exit(code: number | null, isCertain: boolean): void {
    const [number] = [...this.#lives].find(([, life]) => life === 'alive') ?? []
    if (number === undefined) return
    this.#lives.set(number, 'gone')
    const exit = { code, signal: code === null ? 'SIGKILL' : null }
    this.#messages.push({ type: 'exited', number, exit, reason: 'it ended', permanent: isCertain ? 'always' : null })
  }

  #sweep(leaves: boolean): void {
    const number = this.#sweeps.shift()
    if (number === undefined) return
    if (!leaves) this.#lives.set(number, 'over')
    this.#tell({ type: 'cleaned', number, left: leaves ? ['pid 7'] : [] })
  }

  #tell(event: Event): void {
    this.#told.push(event)
    if (event.type === 'exited' && this.#lives.get(event.number) === 'gone')
      this.#lives.set(event.number, 'known to be gone')
    const before = this.state
    const { state, effects } = step(before, event, {
      policy: this.#policy,
      nowMs: this.#nowMs,
      random: this.#random,
      nextNumber: before.number + 1,
    })
    this.state = state
    assert.ok(state.seq >= before.seq && state.number >= before.number, 'numbers grow')
    assert.ok(state === before || effects.length === 0 || state.seq > before.seq, 'who acts is somewhere else')
    for (const effect of effects) this.#carryOut(effect)
    this.#checkThatItMoves()
  }

  #carryOut(effect: Effect): void {
    if ('number' in effect) assert.equal(effect.number, this.state.number, 'only the current life is touched')
    switch (effect.do) {
      case 'spawn':
        assert.deepEqual(this.livesThatAreLeft, [], 'there is one life at a time')
        assert.ok(!this.#lives.has(effect.number), 'an invocation has a new number')
        this.#lives.set(effect.number, 'asked for')
        this.spawns++
        return
      case 'signal':
      case 'kill':
        // The shim reaps nothing before it is told to, so what has gone unheard is nobody else yet.
        assert.ok(
          ['alive', 'gone'].includes(this.#lives.get(effect.number) ?? ''),
          'who is known to be gone is left alone',
        )
        if (effect.do === 'kill') this.#exit(null, false)
        return
      case 'clean':
        assert.ok(
          !['asked for', 'over'].includes(this.#lives.get(effect.number) ?? 'over'),
          'there is something to sweep',
        )
        assert.equal(this.#sweeps.length, 0, 'one look at a time')
        this.#sweeps.push(effect.number)
        return
      case 'wake':
        assert.equal(effect.seq, this.state.seq)
        this.#checkDelay(effect.afterMs)
        this.#timers.push({ seq: effect.seq, dueMs: this.#nowMs + effect.afterMs })
        return
      default:
        effect satisfies never
    }
  }

  #checkDelay(ms: number): void {
    const { phase } = this.state
    assert.ok(ms >= 0)
    if (phase.is !== 'backoff') return
    const { delayMs, maxDelayMs } = this.#policy.restart
    assert.equal(phase.untilMs, this.#nowMs + ms)
    assert.ok(ms >= Math.floor(delayMs * 0.9) && ms <= Math.ceil(Math.max(maxDelayMs, delayMs) * 1.1), `${ms} ms`)
  }

  /** Whatever is on its way has somebody who will say when it is there. */
  #checkThatItMoves(): void {
    const { phase, number, seq } = this.state
    const isAwake = this.#timers.some((timer) => timer.seq === seq)
    if (phase.is === 'backoff') assert.ok(isAwake, 'who waits is woken')
    if (phase.is === 'stopping' && phase.step === 'cleaning') assert.deepEqual(this.#sweeps, [number], 'it is swept')
    else if (phase.is === 'stopping' && phase.pid !== null) assert.ok(isAwake, 'its time is limited')
    if ((phase.is === 'starting' || phase.is === 'stopping') && phase.pid === null) {
      const isAnswered = this.#messages.some((message) => 'number' in message && message.number === number)
      assert.ok(
        isAnswered || this.#lives.get(number) === 'asked for' || this.#sweeps.includes(number),
        'an answer comes',
      )
    }
  }
}

const adopted = fc
  .record({ ready: fc.boolean(), stopping: fc.boolean() })
  .map(({ ready, stopping }) => adoptedState({ number: 4, pid: 1004, restarts: 1, nowMs: 0, ready, stopping }))

const world = fc
  .tuple(
    policy,
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.oneof(fc.constant(initialState), adopted),
  )
  .map(
    ([policy, random, state]) =>
      (): World =>
        new World(policy, random, state),
  )

const history = fc.array(happening, { minLength: 5, maxLength: 60, size: 'max' })

const options = { numRuns: 3000 }

test('whatever happens, there is one life at a time, and only a life that is there is touched', () => {
  fc.assert(
    fc.property(world, history, (create, happenings) => {
      const world = create()
      for (const happening of happenings) world.happen(happening)
    }),
    options,
  )
})

for (const type of ['stop', 'kill'] as const) {
  test(`whatever happened before, after ${type} nothing runs and nothing starts`, () => {
    fc.assert(
      fc.property(world, history, (create, happenings) => {
        const world = create()
        for (const happening of happenings) world.happen(happening)
        world.happen({ what: 'asked', type })
        const { spawns } = world
        world.comeToRest()
        assert.equal(world.spawns, spawns)
        assert.deepEqual(world.livesThatAreLeft, [])
        assert.match(world.state.phase.is, /^(stopped|done)$/)
      }),
      options,
    )
  })
}

test('whatever happened before, after restart it runs again, in a life of its own', () => {
  fc.assert(
    fc.property(world, history, (create, happenings) => {
      const world = create()
      for (const happening of happenings) world.happen(happening)
      const { number } = world.state
      world.happen({ what: 'asked', type: 'restart' })
      world.comeToRest()
      world.happen({ what: 'asked', type: 'dependencies-met' })
      world.comeToRest()
      assert.deepEqual([world.state.phase.is, world.livesThatAreLeft], ['starting', [number + 1]])
    }),
    options,
  )
})
