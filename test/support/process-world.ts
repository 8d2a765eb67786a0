import assert from 'node:assert/strict'
import type { ProcessEffect, ProcessEvent } from '../../src/supervisor/process/events.ts'
import { instanceOf, slotOf, tokenOf } from '../../src/supervisor/process/names.ts'
import { processStep } from '../../src/supervisor/process/process-step.ts'
import { createProcessState, type InstanceState, type ProcessState } from '../../src/supervisor/process/state.ts'
import { currentsOf, findInstance, instancesOf, othersIn, phaseOf } from '../../src/supervisor/process/views.ts'
import type { ProcessSpec } from '../../src/supervisor/spec.ts'
import { adoptAll } from '../../src/supervisor/state/adopt.ts'
import { memoryOf, stateOf } from '../../src/supervisor/state/saved-instances.ts'
import type { SavedState } from '../../src/supervisor/state/state-file.ts'

/** Fate of a program. The shim forgets it when it is `over`. */
type Fate = 'sent' | 'alive' | 'gone' | 'over'

interface Program {
  readonly token: string
  readonly number: number
  readonly pid: number
  fate: Fate
  isSignalled: boolean
}

const MET = { type: 'dependencies', unmet: [], reason: '', isBlocked: false } as const
const BOOT = 'boot'

/**
 * Carries out the effects of one process as the system may, and checks that each is allowed. The test decides what
 * happens next. A crash replaces the supervisor by a new one, which reads the state file and asks the shim.
 */
export class ProcessWorld {
  state: ProcessState
  nowMs = Date.UTC(2026, 0, 31)
  spawns = 0
  readonly programs = new Map<string, Program>()
  readonly #declared: ProcessSpec
  #saved: SavedState
  /** Reports of the shim on their way, with the token that they are about. */
  #reports: { readonly token: string; readonly what: 'spawned' | 'failed' | 'exited' }[] = []
  #timers: { readonly key: number; readonly seq: number }[] = []
  #cleanups: { readonly key: number; readonly number: number }[] = []
  readonly #told: ProcessEvent[] = []

  constructor(spec: ProcessSpec) {
    this.#declared = spec
    this.state = createProcessState(spec, this.nowMs)
    this.#saved = this.#toSave()
  }

  dispatch = (event: ProcessEvent): void => {
    this.#told.push(event)
    const before = this.state
    const context = { nowMs: this.nowMs, random: 0.5, probeAddressOf: () => null }
    const { state, effects } = processStep(before, event, context)
    this.state = state
    for (const effect of effects) this.#carryOut(effect)
    this.#check(before)
  }

  /** Repeats an event that came before. A cleanup ends once, so its end is not repeated. */
  echo(pick: number): void {
    const again = this.#told[pick % Math.max(this.#told.length, 1)]
    if (again && again.type !== 'cleaned' && again.type !== 'adopted') this.dispatch(again)
  }

  instanceAt(pick: number): InstanceState | undefined {
    const all = instancesOf(this.state)
    return all[pick % Math.max(all.length, 1)]
  }

  /** The shim answers the oldest start. */
  answer(isSpawned: boolean): void {
    const program = [...this.programs.values()].find(({ fate }) => fate === 'sent')
    if (!program) return
    program.fate = isSpawned ? 'alive' : 'over'
    this.#reports.push({ token: program.token, what: isSpawned ? 'spawned' : 'failed' })
  }

  exit(pick: number): void {
    const alive = [...this.programs.values()].filter(({ fate }) => fate === 'alive')
    const program = alive[pick % Math.max(alive.length, 1)]
    if (program) this.#end(program)
  }

  /** The oldest report of the shim arrives. */
  report(code: number | null = 1): void {
    const report = this.#reports.shift()
    if (!report) return
    const instance = instancesOf(this.state).find(({ invocation }) => invocation?.token === report.token)
    if (!instance?.invocation) return
    const { key, invocation } = instance
    const { number } = invocation
    const pid = this.programs.get(report.token)?.pid ?? 0
    if (report.what === 'spawned') this.dispatch({ type: 'spawned', key, number, pid, startTicks: number })
    else if (report.what === 'failed') {
      this.dispatch({ type: 'spawn-failed', key, number, failure: { errno: 11, message: 'EAGAIN', what: 'start' } })
    } else {
      const exit = { code, signal: code === null ? 'SIGKILL' : null }
      this.dispatch({ type: 'exited', key, number, exit, words: 'it ended', permanent: null, details: '' })
    }
  }

  probe(type: 'ready' | 'probe-failed', pick: number): void {
    const instance = this.instanceAt(pick)
    const { invocation } = instance ?? {}
    // A probe watches only a process that the shim has reported.
    if (!instance || !invocation?.pid) return
    const { key } = instance
    const { number } = invocation
    if (type === 'ready') this.dispatch({ type, key, number })
    else this.dispatch({ type, key, number, reason: 'no answer', details: '' })
  }

  clean(isLeft: boolean): void {
    const cleanup = this.#cleanups.shift()
    if (!cleanup) return
    const { key, number } = cleanup
    const { id } = findInstance(this.state, key) ?? {}
    const program = id === undefined ? undefined : this.programs.get(tokenOf(id, number))
    if (program && !isLeft) program.fate = 'over'
    this.dispatch({ type: 'cleaned', key, number, left: isLeft ? ['pid 7'] : [] })
  }

  timer(pick: number): void {
    const [timer] = this.#timers.splice(pick % Math.max(this.#timers.length, 1), 1)
    if (timer) this.dispatch({ type: 'elapsed', key: timer.key, seq: timer.seq })
  }

  save(): void {
    this.#saved = this.#toSave()
  }

  /** Kills the supervisor, and starts a new one that adopts what runs. */
  crash(): void {
    this.#timers = []
    this.#cleanups = []
    this.#reports = []
    const saved = JSON.parse(JSON.stringify(this.#saved)) as SavedState
    const { name } = this.#declared
    this.state = createProcessState(this.#declared, this.nowMs, memoryOf(saved).get(name))
    const kept = [...this.programs.values()].filter(({ fate }) => fate !== 'over')
    for (const program of kept) if (program.fate === 'sent') program.fate = 'alive'
    const invocations = kept.map(({ token, pid, number }) => {
      return { token, pid, startTicks: number, instance: instanceOf(token), invocation: number }
    })
    adoptAll({
      stateDir: '/nonexistent',
      saved,
      shim: { invocations },
      declared: new Map([[name, { dispatch: this.dispatch }]]),
      addUndeclared: () => assert.fail('The process is declared.'),
      isRunning: () => false,
      write: () => {},
    })
    for (const { token, fate } of kept) if (fate === 'gone') this.#reports.push({ token, what: 'exited' })
    this.save()
  }

  /** Lets everything that is under way come to its end: starts succeed, and programs exit when they are asked. */
  comeToRest(): void {
    for (let rounds = 0; rounds < 200; rounds++) {
      const before = this.state
      this.dispatch(MET)
      while ([...this.programs.values()].some(({ fate }) => fate === 'sent')) this.answer(true)
      for (const program of this.programs.values()) if (program.isSignalled) this.#end(program)
      while (this.#reports.length > 0) this.report()
      while (this.#cleanups.length > 0) this.clean(false)
      for (const instance of instancesOf(this.state)) this.#makeReady(instance)
      this.nowMs += 1000
      if (this.state === before && this.#timers.length > 0) this.timer(0)
      else if (this.state === before) return
    }
    assert.fail('It does not come to rest.')
  }

  /** Lets one thing that is under way come to its end. Returns false if nothing is. */
  advance(): boolean {
    const before = this.state
    for (const program of this.programs.values()) if (program.isSignalled) this.#end(program)
    if ([...this.programs.values()].some(({ fate }) => fate === 'sent')) this.answer(true)
    if (this.#reports.length > 0) this.report()
    else if (this.#cleanups.length > 0) this.clean(false)
    else for (const instance of instancesOf(this.state)) this.#makeReady(instance)
    return this.state !== before
  }

  #makeReady({ key, invocation }: InstanceState): void {
    if (invocation?.pid) this.dispatch({ type: 'ready', key, number: invocation.number })
  }

  /** Tokens of the programs that are not over. */
  get running(): readonly string[] {
    return [...this.programs.values()].filter(({ fate }) => fate !== 'over').map(({ token }) => token)
  }

  #end(program: Program): void {
    if (program.fate !== 'alive') return
    program.fate = 'gone'
    this.#reports.push({ token: program.token, what: 'exited' })
  }

  #toSave(): SavedState {
    return stateOf({ declared: [this.state], undeclared: [], memory: new Map() }, BOOT)
  }

  #carryOut(effect: ProcessEffect): void {
    if (effect.do === 'spawn') this.#spawn(effect)
    if (effect.do === 'signal') this.#signal(effect)
    if (effect.do === 'wake') this.#timers.push({ key: effect.key, seq: effect.seq })
    if (effect.do !== 'clean') return
    const { invocation } = findInstance(this.state, effect.key) ?? {}
    assert.ok(invocation, 'a cleanup has an invocation')
    this.#cleanups.push({ key: effect.key, number: invocation.number })
  }

  #spawn({ key, invocation: { token, number } }: Extract<ProcessEffect, { do: 'spawn' }>): void {
    assert.ok(!this.programs.has(token), `${token} is a new number`)
    assert.equal(this.state.isClosing, false, 'nothing starts while everything is stopped')
    this.#checkRoom(key, token)
    this.programs.set(token, { token, number, pid: 1000 + this.programs.size, fate: 'sent', isSignalled: false })
    this.spawns++
    // The number is on disk before the program starts.
    this.save()
  }

  #signal({ key, signal }: Extract<ProcessEffect, { do: 'signal' }>): void {
    const program = this.#programOf(key)
    assert.ok(program && ['alive', 'gone'].includes(program.fate), 'only a program that is there is signalled')
    program.isSignalled = true
    if (signal === 'SIGKILL') this.#end(program)
  }

  #programOf(key: number): Program | undefined {
    const token = findInstance(this.state, key)?.invocation?.token
    return token === undefined ? undefined : this.programs.get(token)
  }

  /** Checks that a slot has one program, or two during a rolling reload. */
  #checkRoom(key: number, token: string): void {
    const slot = this.state.slots.find(({ number }) => number === slotOf(instanceOf(token)))
    const others = this.running.filter((other) => instanceOf(other) === instanceOf(token))
    const isSecond = slot?.second?.instance.key === key
    assert.ok(slot && !slot.isLeaving, 'nothing starts in a slot that is removed')
    const own = new Set(isSecond ? [slot.current.invocation?.token] : [slot.second?.instance.invocation?.token])
    const unexpected = others.filter((other) => !own.has(other) && !this.#isSurvivor(other))
    if (isSecond) assert.deepEqual(unexpected, [], 'one replacement at a time')
    else
      assert.deepEqual(
        unexpected.filter((other) => !this.#isLeftover(other)),
        [],
        'one current program at a time',
      )
    if (this.state.spec.kind === 'scheduler') assert.deepEqual(others, [], 'two schedulers never run')
  }

  /** Says whether a program is left by a cleanup that failed, of an instance that was removed. */
  #isSurvivor(token: string): boolean {
    return !instancesOf(this.state).some(({ invocation }) => invocation?.token === token)
  }

  #isLeftover(token: string): boolean {
    return this.state.slots.some(({ leftovers }) => leftovers.some(({ invocation }) => invocation?.token === token))
  }

  #check(before: ProcessState): void {
    const { slots, numbers, reload } = this.state
    for (const [index, number] of before.numbers.entries()) assert.ok((numbers[index] ?? 0) >= number, 'numbers grow')
    for (const slot of slots) {
      assert.ok(slot.second === null || reload?.slot === slot.number, 'a reload owns the second instance')
      assert.ok(currentsOf(this.state).includes(slot.current))
      for (const other of othersIn(slot)) this.#checkMoving(other)
    }
    for (const instance of instancesOf(this.state)) this.#checkMoving(instance)
  }

  /** Checks that an instance on its way has someone who reports its arrival. */
  #checkMoving({ key, machine, invocation }: InstanceState): void {
    const { phase, seq } = machine
    const isTimed = this.#timers.some((timer) => timer.key === key && timer.seq === seq)
    if (phase.is === 'backoff') assert.ok(isTimed, 'a delay has a timer')
    if (phase.is !== 'stopping' && phase.is !== 'starting') return
    if (phase.is === 'stopping' && phase.step === 'cleaning')
      return assert.ok(
        this.#cleanups.some((cleanup) => cleanup.key === key),
        'a cleanup is under way',
      )
    if (phase.pid !== null) return assert.ok(phase.is === 'starting' || isTimed, 'a stop has a timeout')
    const fate = this.programs.get(invocation?.token ?? '')?.fate
    const isReported = this.#reports.some(({ token }) => token === invocation?.token)
    assert.ok(isReported || fate === 'sent', 'the shim answers a start')
  }

  /** Phases of the current instances. */
  get phases(): readonly string[] {
    return currentsOf(this.state).map(phaseOf)
  }
}
