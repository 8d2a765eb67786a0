import { constants } from 'node:os'
import { printDuration, printElapsed } from '../../core/durations.ts'
import type { Exit, InstanceStateName, InstanceStatus, LastExit } from '../../control/protocol.ts'
import type { News } from '../state/event-log.ts'
import type { StartFailure } from '../shim/client.ts'
import { adoptedState, type Effect, type Event, initialState, type Policy, type State, step } from './machine.ts'
import type { ProcessRow } from '../procfs/process-table.ts'
import { lastOwnLines } from '../own-frames.ts'
import { createProber, type Prober } from '../probes/prober.ts'
import type { ProcessSpec } from '../spec.ts'
import type { SweptLife } from '../procfs/descendant-cleanup.ts'

/** One life of an instance, from the moment that it is asked for. */
export interface Life {
  readonly token: string
  readonly run: number
  /** What it was started from. */
  readonly hash: string
  readonly startedMs: number
  /** A socket of its own, on which it can be asked while another life listens beside it. */
  readonly probeAddress: string | null
  pid: number | null
  startTicks: number
}

/** What an instance needs of the world around it. */
export interface World {
  readonly nowMs: () => number
  readonly random: () => number
  readonly write: (news: News) => void
  /** Starts a program; news of it come through the instance's own methods. */
  readonly launch: (instance: Instance, run: number) => Life
  readonly signal: (life: Life, signal: NodeJS.Signals) => void
  readonly sweep: (life: SweptLife) => Promise<readonly string[]>
  readonly look: (life: SweptLife) => readonly ProcessRow[]
  /** As whom a process runs; undefined when it has gone. */
  readonly identityOf: (pid: number) => { readonly uid: number; readonly gid: number } | undefined
  /** The end of the life's output, its last lines. */
  readonly lastLines: (life: Life) => readonly string[]
  readonly followLines: (life: Life, onLine: (line: string) => void) => () => void
  readonly diagnose: (
    exit: Exit,
    context: { title: string; lastLines: readonly string[]; asked: boolean; ready: boolean },
  ) => { words: string; certain: string | null }
  /** The life has gone with all that belonged to it. */
  readonly ended: (life: Life) => void
  /** Its state is another one. */
  readonly changed: (instance: Instance) => void
}

const STATE_NAMES: Readonly<Record<State['phase']['is'], InstanceStateName>> = {
  stopped: 'stopped',
  waiting: 'waiting',
  starting: 'starting',
  running: 'running',
  stopping: 'stopping',
  backoff: 'backoff',
  done: 'done',
  failed: 'failed',
}

/** Of processes, memory, descriptors or room on the disk; and a program that is being replaced. */
const { EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT, ETXTBSY } = constants.errno
const SHORTAGES: ReadonlySet<number> = new Set([EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT, ETXTBSY])

/** Ends in a row that are no accident. */
const FAILING = 3

/** How many ends are remembered. */
const EXITS = 10

/**
 * Carries out what the machine decides for one instance, and tells the machine what happens. The state has one writer:
 * `dispatch`.
 */
export class Instance {
  readonly id: string
  spec: ProcessSpec
  /** It only shows whether the code is fit to serve, at an address that nobody knows. */
  readonly isTrial: boolean
  life: Life | null = null
  lastExit: LastExit | null = null
  exits: LastExit[] = []
  sinceMs: number
  /** When the schedule starts it next. */
  nextMs: number | null = null
  waitingFor: readonly string[] = []
  waitingWords = ''
  /** The last output of a life that ended unasked, or that was found wanting. */
  lastDetails = ''
  readonly #world: World
  #state: State
  #prober: Prober | null = null
  #timers = new Set<() => void>()
  #known: ReadonlyMap<number, number> = new Map()
  #readyMs: number | null = null

  constructor(id: string, spec: ProcessSpec, world: World, run = 0, isTrial = false) {
    this.id = id
    this.isTrial = isTrial
    this.spec = spec
    this.#world = world
    this.#state = { ...initialState, run }
    this.sinceMs = world.nowMs()
  }

  get phase(): State['phase'] {
    return this.#state.phase
  }

  get run(): number {
    return this.#state.run
  }

  /** The highest number that any life had, those beside it as well. */
  get lastRun(): number {
    return Math.max(this.#state.run, this.#state.lastRun)
  }

  get restarts(): number {
    return this.#state.restarts
  }

  get failures(): number {
    return this.#state.history.failures
  }

  /** Whether it is on its way to something and has not arrived. */
  get isMoving(): boolean {
    const { is } = this.phase
    return ['waiting', 'starting', 'stopping', 'backoff'].includes(is) || (is === 'running' && this.#policy().completes)
  }

  /** It ended again and again before it was ever ready. It is tried further; who waits for it is told now. */
  get isFailing(): boolean {
    const isTried = ['backoff', 'starting', 'stopping'].includes(this.phase.is)
    return isTried && !this.#state.wasReady && this.failures >= FAILING
  }

  get hasProcess(): boolean {
    return ['starting', 'running', 'stopping'].includes(this.phase.is)
  }

  start = (): void => this.#dispatch({ type: 'start' })
  go = (): void => this.#dispatch({ type: 'go' })
  stop = (): void => this.#dispatch({ type: 'stop' })
  restart = (): void => this.#dispatch({ type: 'restart' })
  kill = (): void => this.#dispatch({ type: 'kill' })
  /** It need not run: it has done its work before. */
  skip = (): void => this.#dispatch({ type: 'skip' })
  /** A life beside it had this number, which no other one shall have. */
  countRuns = (upTo: number): void => {
    this.#state = { ...this.#state, lastRun: Math.max(this.#state.lastRun, upTo) }
  }

  /** Goes on with a life that another supervisor started. */
  adopt(life: Life, saved: { ready: boolean; restarts: number; stopping: boolean }): void {
    const { run } = life
    this.life = life
    const nowMs = this.#world.nowMs()
    this.#state = adoptedState({ run, pid: life.pid as number, nowMs, ...saved })
    this.sinceMs = life.startedMs
    if (saved.ready) this.#readyMs = nowMs
    if (saved.stopping) this.#wake(this.spec.stop.timeoutMs, this.#state.seq)
    else if (saved.ready) this.#watchAlive()
    else this.#watchReady()
  }

  spawned(pid: number, startTicks: number): void {
    const { life } = this
    // Another keeper, which took it over, tells it as well.
    if (!life || life.pid === pid) return
    Object.assign(life, { pid, startTicks })
    this.#write('starting', `started, pid ${pid}`)
    this.#dispatch({ type: 'spawned', run: life.run, pid })
    if (this.phase.is === 'starting') this.#watchReady()
  }

  spawnFailed(failure: StartFailure): void {
    const { life } = this
    if (!life) return
    const reason = explainFailure(failure, this.spec)
    // What is short now may be there later; what is wrong stays wrong.
    const certain = failure.what.startsWith('lock:') || !SHORTAGES.has(failure.errno)
    this.#endLife()
    this.#dispatch({ type: 'spawn-failed', run: life.run, reason, certain })
  }

  exited(exit: Exit): void {
    const { life } = this
    if (!life) return
    const asked = this.phase.is === 'stopping'
    const ready = this.#readyMs !== null
    // What is to run again at once does not wait for its last words to be looked up.
    const isHurried = ready && !asked && this.spec.restart.delayMs === 0
    const lines = (): readonly string[] => (asked ? [] : this.#world.lastLines(life))
    const lastLines = isHurried ? [] : lines()
    const { words, certain } = this.#world.diagnose(exit, { title: this.spec.title, lastLines, asked, ready })
    const nowMs = this.#world.nowMs()
    const ranMs = nowMs - life.startedMs
    this.lastExit = { ...exit, at: new Date(nowMs).toISOString(), words, ranMs }
    this.exits = [...this.exits, this.lastExit].slice(-EXITS)
    this.#stopProbing()
    const { run, pid } = life
    const tell = (last: readonly string[]): void => {
      if (last.length > 0) this.lastDetails = shownOf(last)
      const isExpected = asked || (exit.code === 0 && this.#policy().completes)
      const details = !isExpected && last.length > 0 ? { details: shownOf(last) } : {}
      this.#write('exited', `${words}, after ${printElapsed(ranMs)}`, { run, pid, exit, ms: ranMs, ...details })
    }
    if (isHurried) setImmediate(() => tell(lines()))
    else tell(lastLines)
    this.#dispatch({ type: 'exited', run, exit, reason: words, certain: ready ? null : certain })
  }

  /** The program says so itself, as `sd_notify` does. */
  notified(text: string): void {
    const waits = this.spec.ready.notify === true || this.spec.ready.delayMs !== undefined
    if (waits && /^READY=1$/m.test(text) && this.phase.is === 'starting') this.#ready()
  }

  /** Everything that is of its current life. */
  rows(): readonly ProcessRow[] {
    return this.life?.pid ? this.#world.look(this.#swept(this.life)) : []
  }

  /** No timer and no probe of it is left. Its program goes on. */
  leave(): void {
    this.#stopProbing()
    for (const cancel of this.#timers) cancel()
  }

  status(): InstanceStatus {
    const { phase, life, spec } = this
    const alive = this.hasProcess ? life : null
    return {
      instance: this.id,
      process: spec.name,
      state: STATE_NAMES[phase.is],
      pid: alive?.pid ?? null,
      run: this.run,
      since: new Date(this.sinceMs).toISOString(),
      startedAt: time(alive?.startedMs),
      readyAt: time(alive && this.#readyMs),
      restarts: this.restarts,
      lastExit: this.lastExit,
      nextAt: time(phase.is === 'backoff' ? phase.untilMs : this.nextMs),
      waitingFor: phase.is === 'waiting' ? this.waitingFor : [],
      reason: 'reason' in phase ? phase.reason : phase.is === 'waiting' ? this.waitingWords || null : null,
      beside: null,
    }
  }

  #policy(): Policy {
    const { restart, stop, run, schedule } = this.spec
    return { restart, stopTimeoutMs: stop.timeoutMs, completes: run !== 'always' || schedule !== null }
  }

  #dispatch(event: Event): void {
    const context = { policy: this.#policy(), nowMs: this.#world.nowMs(), random: this.#world.random() }
    const before = this.#state
    const { state, effects } = step(before, event, context)
    this.#state = state
    if (state.seq !== before.seq) this.sinceMs = context.nowMs
    if (state.phase.is !== before.phase.is) this.#announce()
    for (const effect of effects) this.#carryOut(effect)
    if (state !== before) this.#world.changed(this)
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'spawn':
        this.#known = new Map()
        this.#readyMs = null
        this.life = this.#world.launch(this, effect.run)
        return
      case 'signal':
        this.#signal(`SIG${this.spec.stop.signal}` as NodeJS.Signals)
        return
      case 'kill':
        this.#write(
          'killed',
          effect.late ? `killed: it did not stop within ${printDuration(this.spec.stop.timeoutMs)}` : 'killed',
        )
        this.#signal('SIGKILL')
        return
      case 'sweep':
        void this.#sweep()
        return
      case 'wake':
        this.#wake(effect.afterMs, effect.seq)
        return
      default:
        effect satisfies never
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.life) return
    this.#stopProbing()
    // What it has started by now is known by this sight, wherever it moves afterwards.
    this.#known = new Map(this.rows().map(({ pid, startTicks }) => [pid, startTicks]))
    this.#world.signal(this.life, signal)
  }

  async #sweep(): Promise<void> {
    const { life } = this
    if (!life) return
    const left = await this.#world.sweep(this.#swept(life))
    if (this.life !== life) return
    if (left.length > 0) this.#write('left-behind', `cannot be ended: ${left.join('; ')}`)
    else this.#endLife()
    this.#dispatch({ type: 'swept', run: life.run, left })
  }

  #endLife(): void {
    const { life } = this
    this.life = null
    this.#stopProbing()
    if (life) this.#world.ended(life)
  }

  #swept({ pid, startTicks, token }: Life): SweptLife {
    return { pid: pid ?? -1, startTicks, mark: token, known: this.#known }
  }

  #watchReady(): void {
    const { life, spec } = this
    if (!life) return
    if (this.#policy().completes) return this.#ready()
    const { ready: probe } = spec
    const stopFollowing =
      probe.log === undefined ? () => {} : this.#world.followLines(life, (line) => this.#prober?.feed(line))
    const cancel = this.#after(probe.startMs, () => {
      const reply = this.#prober?.lastReply()
      this.#unfit(`not ready within ${printDuration(probe.startMs)}${reply ? `: ${reply}` : ''}`)
    })
    const prober =
      probe.notify === true
        ? null
        : createProber({ purpose: 'ready', probe, target: this.#target(life), report: () => this.#ready() })
    this.#stopProbing()
    this.#prober = {
      feed: (line) => prober?.feed(line),
      lastReply: () => prober?.lastReply() ?? null,
      stop: () => {
        prober?.stop()
        cancel()
        stopFollowing()
      },
    }
  }

  #watchAlive(): void {
    const { life, spec } = this
    this.#stopProbing()
    if (!life || !spec.alive) return
    const { failures } = spec.alive
    this.#prober = createProber({
      purpose: 'alive',
      probe: spec.alive,
      target: this.#target(life),
      report: (result) => {
        if (!result.ok) this.#unfit(`alive no more, ${failures} times in a row: ${result.reply}`)
      },
    })
  }

  #target(life: Life): Parameters<typeof createProber>[0]['target'] {
    const { env, cwd, listen, user, group } = this.spec
    // A program that asks for a process asks as the user that this one runs as.
    const identity =
      (user !== null || group !== null) && life.pid !== null ? this.#world.identityOf(life.pid) : undefined
    return { address: life.probeAddress ?? listen[0] ?? null, listen, env, cwd, ...identity }
  }

  #ready(): void {
    if (!this.life) return
    this.#readyMs = this.#world.nowMs()
    this.#dispatch({ type: 'ready', run: this.life.run })
    if (this.phase.is === 'running') this.#watchAlive()
  }

  #unfit(reason: string): void {
    if (!this.life) return
    const lines = this.#world.lastLines(this.life)
    this.lastDetails = shownOf(lines)
    this.#write('not-ready', reason, lines.length > 0 ? { details: this.lastDetails } : {})
    this.#dispatch({ type: 'unfit', run: this.life.run, reason })
  }

  #stopProbing(): void {
    this.#prober?.stop()
    this.#prober = null
  }

  #wake(afterMs: number, seq: number): void {
    this.#after(afterMs, () => this.#dispatch({ type: 'elapsed', seq }))
  }

  #after(ms: number, act: () => void): () => void {
    const cancel = (): void => {
      clearTimeout(timer)
      this.#timers.delete(cancel)
    }
    const timer = setTimeout(() => {
      this.#timers.delete(cancel)
      act()
    }, ms)
    this.#timers.add(cancel)
    return cancel
  }

  #announce(): void {
    const { phase } = this
    switch (phase.is) {
      case 'running': {
        const ms = this.life ? this.#world.nowMs() - this.life.startedMs : 0
        if (!this.#policy().completes) this.#write('ready', `ready after ${printElapsed(ms)}`, { ms })
        return
      }
      case 'backoff': {
        const ms = phase.untilMs - this.#world.nowMs()
        this.#write('backoff', `starts again in ${printElapsed(ms)}: ${phase.reason}`, { ms })
        return
      }
      case 'failed':
        this.#write('failed', phase.reason)
        return
      case 'stopping':
        // It ended by itself, which has been told.
        if (phase.step !== 'sweeping') this.#write('stopping', 'stopping')
        return
      case 'stopped':
        this.#write('stopped', 'stopped')
        return
      case 'done':
        this.#write('done', 'done')
        return
      case 'waiting':
      case 'starting':
        return
      default:
        phase satisfies never
    }
  }

  #write(type: News['type'], message: string, more: Partial<News> = {}): void {
    const { id, spec, life, run } = this
    this.#world.write({ type, message, process: spec.name, instance: id, run, pid: life?.pid ?? null, ...more })
  }
}

const time = (ms: number | null | undefined): string | null => (ms == null ? null : new Date(ms).toISOString())

/** The last output as it is shown to a person. */
const shownOf = (lines: readonly string[]): string => lastOwnLines(lines).join('\n')

function explainFailure({ what, message }: StartFailure, { argv, cwd, user, group }: ProcessSpec): string {
  if (what.startsWith('lock:'))
    return `another one of it runs already on this machine${what.slice(5) ? `: ${what.slice(5).trim()}` : ''}`
  if (what === 'program') return `${argv[0]} cannot be started: ${message}`
  if (what === 'CWD') return `its working directory ${cwd} cannot be entered: ${message}`
  if (what === 'USER') return `it cannot become the user ${user}: ${message}`
  if (what === 'GROUP') return `it cannot become the group ${group}: ${message}`
  if (what.startsWith('address ')) return `the ${what} cannot be used: ${message}`
  if (what === 'LIMITS' || what === 'NICE' || what === 'UMASK') return `its ${what} cannot be set: ${message}`
  return `it cannot be started: ${message}`
}
