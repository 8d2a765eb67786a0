import { constants } from 'node:os'
import { printRoundedSize, printSize } from '../core/sizes.ts'
import type { Exit, ProcessEvent, Snapshot } from '../control/protocol.ts'
import type { PlannedProject } from '../plan/plan.ts'
import type { LogLine } from '../logs/lines.ts'
import { processOf } from '../logs/log-files.ts'
import { followRun, tail } from '../logs/tail.ts'
import { adoptLives } from './state/adopt.ts'
import {
  blockersOf,
  dependenciesOf,
  describeObstacle,
  describeWaiting,
  unmetDependencies,
} from './process/dependencies.ts'
import { certainFailure, describeExit } from './diagnose.ts'
import type { Instance, Life, World } from './process/instance.ts'
import { type Journal, openJournal } from './state/event-log.ts'
import {
  describeLogNews,
  type Keeper,
  type KeeperEvents,
  type KeeperOptions,
  type LogNews,
  openKeeper,
} from './shim/client.ts'
import { probeAddressOf, startOf } from './process/launch.ts'
import { createManaged, instancesOf, type Managed, type Slot, statusOf } from './process/managed.ts'
import { bootId, isSameProcess, readEnvironMark, readIdentity } from './procfs/process-table.ts'
import { replaceInstance } from './process/reload.ts'
import { describeReload } from '../core/reload-strategy.ts'
import { instanceOf, pipeOf, stateOf, tokenOf } from './state/saved-instances.ts'
import { createSaver, type Saver } from './state/saver.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { Sockets, takenAddress } from './process/sockets.ts'
import type { ProcessSpec } from './spec.ts'
import { readState, type SavedState, writeState } from './state/state-file.ts'
import { createSweeper, MARK, markOf, placeOf, type Sweeper } from './procfs/descendant-cleanup.ts'
import { createUsageMeter, type UsageMeter } from './usage-meter.ts'

export interface SupervisorOptions {
  readonly stateDir: string
  readonly version: string
  readonly keeper: Omit<KeeperOptions, 'stateDir'>
  readonly project: PlannedProject
  readonly pid: number
}

/** What an end is judged by: some servers print a hundred lines after the one that matters. */
const LAST_LINES = 100
/** What could not be replaced because it is too large is too large a moment later as well. */
const REPLACE_AGAIN_MS = 60_000

/**
 * Runs the declared processes. It owns all instances and decides what depends on what; each instance decides for
 * itself, and the keeper does what both decide. What is asked from outside goes through `apply.ts` and `actions.ts`.
 */
export class Supervisor {
  readonly processes = new Map<string, Managed>()
  readonly journal: Journal
  readonly sockets: Sockets
  readonly options: SupervisorOptions
  readonly world: World
  /** What ran to completion for which release, and what is to, or was begun. */
  readonly releases: Record<string, string>
  readonly releasing: Record<string, string>
  project: PlannedProject
  /** The values of `--set` that it was planned with. */
  set: readonly string[] = []
  readonly #startedMs = Date.now()
  readonly #saved: SavedState
  readonly #sweeper: Sweeper
  readonly #scheduler: Scheduler
  readonly #meter: UsageMeter
  readonly #saver: Saver
  readonly #byToken = new Map<string, Instance>()
  readonly #waiters = new Set<() => void>()
  /** Pids of the instances that run. */
  readonly #mains = new Set<number>()
  readonly #strangers = new Set<Instance>()
  readonly #place: string
  #isKeeperLost = false
  /** Why its state could not be written the last time. */
  #stateError: string | null = null
  /** A keeper of before left children. */
  #hasOthers = false
  /** Lives that this keeper started, and not one before it. */
  readonly #ours = new Set<string>()
  /** Instances that could not be replaced, and when that may be tried again. */
  readonly #replaceableMs = new Map<string, number>()
  #keeper!: Keeper
  #looking = false
  /** Everything is being stopped: nothing new starts. */
  ending = false
  closing = false

  constructor(options: SupervisorOptions) {
    this.options = options
    this.#place = placeOf(options.stateDir)
    this.project = options.project
    this.journal = openJournal(options.stateDir)
    this.#saved = readState(options.stateDir, bootId())
    this.releases = { ...this.#saved.releases }
    this.releasing = { ...this.#saved.releasing }
    this.#sweeper = createSweeper({
      keeperPid: () => this.#keeper.pid,
      isMain: (pid) => pid === options.pid || this.#mains.has(pid),
      place: this.#place,
      hasOthers: () => this.#hasOthers,
      isOurs: ({ mark }) => mark !== null && this.#ours.has(mark),
    })
    this.sockets = new Sockets(() => this.#keeper, options.stateDir)
    this.#saver = createSaver(() => this.#writeState())
    this.world = this.#createWorld()
    this.#scheduler = createScheduler((managed) => this.#fire(managed))
    this.#meter = createUsageMeter({
      rowsOf: (instance) => instance.rows(),
      instances: () => this.instances(),
      onLarge: (instance, bytes) => this.#tooLarge(instance, bytes),
    })
  }

  /**
   * Takes the keeper, or starts one.
   *
   * @throws {KeeperBusyError} when another supervisor has it.
   */
  async open(): Promise<void> {
    await this.#openKeeper()
    if (!this.#keeper.isNew) return
    this.#hasOthers = true
    await this.#endUnknown()
  }

  async #openKeeper(): Promise<void> {
    const { stateDir, keeper } = this.options
    this.#keeper = await openKeeper({ stateDir, ...keeper }, this.#keeperEvents())
  }

  /** Supervisor and keeper were killed at once: what they had just begun to start is in nobody's notes. */
  async #endUnknown(): Promise<void> {
    const known = new Set(this.#saved.lives.map(({ instance, run }) => tokenOf(instance, run)))
    const marks = this.#sweeper.marks().filter((mark) => !known.has(mark))
    await Promise.all(marks.map((mark) => this.#sweeper.sweep({ pid: -1, startTicks: 0, mark, known: new Map() })))
  }

  get keeper(): Keeper {
    return this.#keeper
  }

  instances(): readonly Instance[] {
    return [...[...this.processes.values()].flatMap(instancesOf), ...this.#strangers]
  }

  /** Lives of processes that are declared no more. They are being stopped. */
  get strangers(): ReadonlySet<Instance> {
    return this.#strangers
  }

  /** Lives that an earlier supervisor left running, of processes that are still declared. Call it once, after `add`. */
  adopt(): readonly string[] {
    const keeper = this.#keeper
    const adopted = adoptLives({
      stateDir: this.options.stateDir,
      saved: this.#saved,
      keeper,
      processes: this.processes,
      world: this.world,
      write: (news) => this.write(news),
      take: (instance, token, pid) => {
        this.#byToken.set(token, instance)
        this.#mains.add(pid)
        this.#setLog(instance.id, instance.spec)
      },
      onStranger: (instance) => void this.#strangers.add(instance),
      onBeside: (slot, instance) =>
        void this.until(() => !instance.isMoving).then(() => this.#endBeside(slot, instance)),
    })
    if (keeper.isNew) this.#takeSockets()
    keeper.listen()
    return adopted
  }

  /** Of another keeper, only the programs have the sockets now, and none that starts could listen there. */
  #takeSockets(): void {
    for (const { spec, slots } of this.processes.values())
      if (slots.some(({ current }) => current.life !== null)) this.sockets.hold(spec)
  }

  /** Closes what was held for processes that are declared no more. */
  closeForgotten(): void {
    this.sockets.closeForgotten((owner) => this.processes.has(owner) || this.#byToken.has(owner))
  }

  #endBeside(slot: Slot, instance: Instance): void {
    instance.leave()
    if (slot.beside === instance) slot.beside = null
    this.save()
    this.lookAgain()
  }

  add(spec: ProcessSpec): Managed {
    const saved = this.#saved.processes[spec.name]
    const managed = createManaged(spec, this.world, saved?.runs)
    if (saved?.scaled != null) managed.scaled = saved.scaled
    this.processes.set(spec.name, managed)
    return managed
  }

  remove(name: string): void {
    const managed = this.processes.get(name)
    if (!managed) return
    this.sockets.close(managed.spec)
    this.#scheduler.cancel(managed)
    for (const instance of instancesOf(managed)) instance.leave()
    this.processes.delete(name)
    this.save()
  }

  /** It is to run: at once, when what it depends on is there, or when its time comes. */
  want(managed: Managed): void {
    managed.wanted = 'running'
    if (managed.spec.schedule) this.#scheduler.plan(managed)
    else for (const { current } of managed.slots) current.start()
    this.lookAgain()
  }

  unwant(managed: Managed): void {
    managed.wanted = 'stopped'
    this.#scheduler.cancel(managed)
    this.save()
  }

  /** Resolves when the condition holds. It is looked at after every change. */
  until = (condition: () => boolean): Promise<void> =>
    new Promise((settle) => {
      const look = (): void => {
        if (!condition()) return
        this.#waiters.delete(look)
        settle()
      }
      this.#waiters.add(look)
      look()
    })

  dependenciesOf(spec: ProcessSpec): ProcessSpec['dependsOn'] {
    return dependenciesOf(this.processes, spec)
  }

  /** It, or everything, is to be stopped: nothing of it may be started. */
  isUnwanted({ wanted }: Managed): boolean {
    return this.ending || wanted === 'stopped'
  }

  /** Why a process would never start by that declaration; null where it may. */
  obstacleTo(spec: ProcessSpec): string | null {
    return describeObstacle(this.processes, spec)
  }

  blockedBy(managed: Managed): readonly string[] {
    return blockersOf(this.processes, managed)
  }

  /** Ends what has lost its parent and does not tell whose it is. Call it when nothing runs; what is left, in words. */
  sweepStrays(): Promise<readonly string[]> {
    return this.#sweeper.sweep({ pid: -1, startTicks: 0, mark: null, known: new Map() })
  }

  write(news: Parameters<Journal['write']>[0]): ProcessEvent {
    return this.journal.write(news, Date.now())
  }

  snapshot({ usage = false } = {}): Snapshot {
    const { version, stateDir, pid } = this.options
    const { root, settings, python } = this.project
    const used = usage ? this.#meter.measure() : new Map()
    return {
      supervisor: {
        version,
        api: 1,
        pid,
        keeperPid: this.#keeper.pid,
        startedAt: new Date(this.#startedMs).toISOString(),
        root,
        settings: settings?.module ?? null,
        python: python?.path ?? null,
        stateDir,
        set: this.set.map((text) => text.slice(0, text.indexOf('='))),
      },
      processes: [...this.processes.values()].map((managed) => {
        const status = statusOf(managed, describeReload)
        const instances = status.instances.map((instance) => ({ ...instance, usage: used.get(instance.instance) }))
        return { ...status, instances: usage ? instances : status.instances }
      }),
    }
  }

  lastLines(instance: string, run: number, count = LAST_LINES): readonly string[] {
    return tail(this.options.stateDir, instance, { run, n: count }).map(({ line }) => line.toString('utf8'))
  }

  signal(instance: Instance, signal: NodeJS.Signals): void {
    if (instance.life) this.#signal(instance.life, signal)
  }

  #signal({ token, pid, startTicks }: Life, signal: NodeJS.Signals): void {
    if (!this.#isKeeperLost) return this.#keeper.signal(token, signal)
    // Until there is another one, nobody else does.
    if (pid === null || !isSameProcess(pid, startTicks)) return
    try {
      process.kill(pid, signal)
    } catch {
      // It ended meanwhile: whoever takes it over tells.
    }
  }

  /** Nobody will answer on its sockets: whoever connects is to be refused, and not to wait. */
  #closeUnused(name: string): void {
    const managed = this.processes.get(name)
    if (managed && instancesOf(managed).every(({ hasProcess, isMoving }) => !hasProcess && !isMoving))
      this.sockets.close(managed.spec)
  }

  /** Notes what is, for the supervisor that comes after this one: at once, and many changes in a row together. */
  save = (): void => this.#saver.save()

  #writeState(): void {
    const { releases, releasing } = this
    const notes = { processes: this.processes, strangers: this.#strangers, releases, releasing }
    try {
      writeState(this.options.stateDir, stateOf(notes, bootId()))
      if (this.#stateError !== null) this.write({ type: 'note', message: 'its state is written again' })
      this.#stateError = null
    } catch (error) {
      const { message } = error as Error
      // What runs goes on; only a supervisor that came after this one would know less. It is said once.
      if (this.#stateError !== message) this.write({ type: 'note', message: `cannot write its state: ${message}` })
      this.#stateError = message
    }
  }

  /** Ends with everything else left as it is: the next supervisor goes on. */
  leave(): void {
    this.#stopWatching()
    this.#saver.saveNow()
    this.#keeper.leave()
  }

  /** Ends for good; all instances have ended before. */
  quit(): Promise<void> {
    this.#stopWatching()
    this.#saver.saveNow()
    return this.#keeper.quit()
  }

  #stopWatching(): void {
    this.closing = true
    this.#scheduler.close()
    this.#meter.close()
    for (const instance of this.instances()) instance.leave()
    this.journal.close()
  }

  /** Starts what waits and need not any more. */
  lookAgain(): void {
    if (this.#looking) return
    this.#looking = true
    // Once for all that changes in one go; and never inside the change of an instance.
    queueMicrotask(() => {
      this.#looking = false
      for (const managed of this.processes.values()) {
        if (!managed.slots.some(({ current }) => current.phase.is === 'waiting')) continue
        const unmet = unmetDependencies(this.processes, managed)
        for (const { current } of managed.slots) {
          if (current.phase.is !== 'waiting') continue
          if (unmet.length === 0) current.go()
          else this.#tellWaiting(current, managed, unmet)
        }
      }
      for (const look of this.#waiters) look()
    })
  }

  #tellWaiting(instance: Instance, managed: Managed, unmet: readonly string[]): void {
    const words = describeWaiting(this.processes, managed)
    if (instance.waitingFor.join() === unmet.join() && instance.waitingWords === words) return
    instance.waitingFor = unmet
    instance.waitingWords = words
    this.write({ type: 'waiting', process: managed.spec.name, instance: instance.id, message: words })
  }

  #fire(managed: Managed): void {
    const [slot] = managed.slots
    if (!slot || managed.wanted === 'stopped') return
    const { current } = slot
    if (current.hasProcess) {
      const message = 'skipped: the last one still runs'
      this.write({
        type: 'skipped',
        process: managed.spec.name,
        instance: current.id,
        pid: current.life?.pid ?? null,
        message,
      })
    } else current.restart()
  }

  #tooLarge(instance: Instance, bytes: number): void {
    const managed = this.processes.get(instance.spec.name)
    const mayTryAgainMs = this.#replaceableMs.get(instance.id) ?? 0
    if (!managed || managed.reloading || Date.now() < mayTryAgainMs) return
    const limit = instance.spec.memoryLimitBytes as number
    const message = `uses ${printRoundedSize(bytes)}, more than its ${printSize(limit)}: replaced`
    this.write({ type: 'note', ...aboutLife(instance), message })
    void this.#replace(managed, instance)
  }

  /** By another life, without a gap where that can be done. */
  async #replace(managed: Managed, instance: Instance): Promise<void> {
    const { world, until, save } = this
    const signal = this.signal.bind(this)
    const obstacle = this.obstacleTo.bind(this)
    const outcome = await replaceInstance(managed, instance, {
      world,
      until,
      save,
      signal,
      obstacle,
      isUnwanted: (one) => this.isUnwanted(one),
    })
    // A limit that is too small for it must not make it come and go all the time.
    this.#replaceableMs.set(instance.id, Date.now() + REPLACE_AGAIN_MS)
    if (outcome.ok) return
    const message = `could not be replaced: ${outcome.reason}`
    this.write({ type: 'reload-refused', ...aboutLife(instance), message, details: outcome.details || undefined })
  }

  #createWorld(): World {
    const { stateDir } = this.options
    return {
      nowMs: Date.now,
      random: Math.random,
      write: (news) => void this.write(news),
      launch: (instance, run) => this.#launch(instance, run),
      signal: (life, signal) => this.#signal(life, signal),
      sweep: (life) => this.#sweeper.sweep(life),
      look: (life) => this.#sweeper.look(life),
      identityOf: readIdentity,
      lastLines: ({ token, run }) => this.lastLines(instanceOf(token), run),
      followLines: ({ token, run }, onLine) => {
        const life = new AbortController()
        const onLogLine = ({ line }: LogLine): void => onLine(line.toString('utf8'))
        // What is there already is read at once, and who asks is not ready to hear it yet.
        queueMicrotask(() => {
          followRun(stateDir, instanceOf(token), run, onLogLine, life.signal).catch(() => {})
        })
        return () => life.abort()
      },
      diagnose: (exit: Exit, { title, lastLines, asked, ready }) => ({
        words: describeExit(exit, { title, lastLines, askedToStop: asked }),
        certain: ready ? null : certainFailure(exit, lastLines),
      }),
      ended: (life) => this.#lifeEnded(life),
      changed: (instance) => {
        if (!instance.isMoving && this.#strangers.delete(instance)) instance.leave()
        if (instance.phase.is === 'failed') this.#closeUnused(instance.spec.name)
        this.#noteRelease(instance)
        this.#meter.watch()
        this.save()
        this.lookAgain()
      },
    }
  }

  /** Whoever had it run, and whenever it came to its end: it is done for the release that it was begun for. */
  #noteRelease({ spec, phase }: Instance): void {
    const release = this.releasing[spec.name]
    if (spec.run !== 'release' || phase.is !== 'done' || release === undefined) return
    this.releases[spec.name] = release
    delete this.releasing[spec.name]
  }

  #launch(instance: Instance, run: number): Life {
    const { spec, id } = instance
    const token = tokenOf(id, run)
    const shares = spec.inherited !== null && spec.listen.length > 0
    const probeAddress = shares ? probeAddressOf(this.options.stateDir, token) : null
    const life: Life = { token, run, hash: spec.hash, startedMs: Date.now(), probeAddress, pid: null, startTicks: 0 }
    this.#byToken.set(token, instance)
    this.#ours.add(token)
    this.#setLog(id, spec)
    if (probeAddress === null) this.#startNow(instance, life, [])
    else void this.#startWithSockets(instance, life, probeAddress)
    return life
  }

  async #startWithSockets(instance: Instance, life: Life, probeAddress: string): Promise<void> {
    const opened = await this.sockets.open(instance, life, probeAddress)
    if (!('errno' in opened)) return this.#startNow(instance, life, opened)
    instance.spawnFailed(opened)
  }

  #startNow(instance: Instance, life: Life, sockets: readonly string[]): void {
    const { token, run } = life
    const isOurs = (pid: number): boolean => readEnvironMark(pid, MARK)?.startsWith(markOf(this.#place, '')) === true
    const taken = sockets.length === 0 ? takenAddress(instance.spec, isOurs) : null
    if (taken) return queueMicrotask(() => instance.spawnFailed(taken))
    const input = { spec: instance.spec, instance: instance.id, run, token, sockets }
    const { root } = this.project
    try {
      this.#keeper.start(startOf({ ...input, root, place: this.#place, notifySocket: this.#keeper.notifySocket }))
    } catch (error) {
      queueMicrotask(() => instance.spawnFailed({ errno: 0, message: (error as Error).message, what: 'start' }))
    }
  }

  #setLog(instance: string, { log }: ProcessSpec): void {
    this.#keeper.log(instance, log)
  }

  #lifeEnded({ token, probeAddress }: Life): void {
    const instance = this.#byToken.get(token)
    this.#byToken.delete(token)
    this.#ours.delete(token)
    this.#keeper.forget(token)
    if (probeAddress !== null) this.sockets.closeLife(token, instance?.spec.listen.length ?? 0)
  }

  #keeperEvents(): KeeperEvents {
    return {
      onSpawned: (token, pid, startTicks) => {
        this.#mains.add(pid)
        this.#byToken.get(token)?.spawned(pid, startTicks)
      },
      onFailed: (token, failure) => this.#byToken.get(token)?.spawnFailed(failure),
      onExited: (token, exit) => {
        const instance = this.#byToken.get(token)
        if (instance?.life?.pid) this.#mains.delete(instance.life.pid)
        if (instance) instance.exited(exit)
        else this.#keeper.forget(token)
      },
      onNotify: ({ session, pid, text }) => {
        const instance = this.instances().find(({ life }) => life?.pid === session || life?.pid === pid)
        instance?.notified(text)
      },
      onLog: (news) => this.#logNews(news),
      onLost: () => void this.#keeperLost(),
    }
  }

  #logNews(news: LogNews): void {
    const { log } = news
    const message = describeLogNews(news)
    if (message !== null) this.write({ type: 'log-lost', process: processOf(log), instance: log, message })
    if (news.type === 'rotated') this.onRotated(log, news.sequence)
  }

  /** A log file is complete. Set by what compresses them. */
  onRotated: (log: string, sequence: number) => void = () => {}

  /** The programs live on, and hold their pipes open. Another keeper takes them over. */
  async #keeperLost(): Promise<void> {
    if (this.closing) return
    this.write({ type: 'note', message: 'the keeper has gone; another one takes over what runs' })
    this.#isKeeperLost = this.#hasOthers = true
    this.#ours.clear()
    await this.#openKeeperAgain()
    if (this.closing) return
    this.#isKeeperLost = false
    this.sockets.forget()
    const { stateDir } = this.options
    const begun: (readonly [Instance, Life])[] = []
    for (const instance of this.instances()) {
      const { life, id } = instance
      if (!life) continue
      this.#setLog(id, instance.spec)
      const { token, pid, startTicks, run } = life
      if (pid === null) begun.push([instance, life])
      else this.#keeper.adopt({ token, pid, startTicks, instance: id, run }, pipeOf(stateDir, id, run))
    }
    this.#takeSockets()
    this.#keeper.listen()
    this.save()
    // These were about to be started, and perhaps were: whatever came of them carries their marks.
    for (const [instance, life] of begun) {
      await this.#sweeper.sweep({ pid: -1, startTicks: 0, mark: life.token, known: new Map() })
      if (instance.life === life && life.pid === null)
        instance.spawnFailed({ errno: constants.errno.EAGAIN, message: 'EAGAIN: the keeper has gone', what: 'start' })
    }
  }

  /** What runs goes on without a keeper, but nothing new can start, and pipes fill up: it is tried until one is there. */
  async #openKeeperAgain(): Promise<void> {
    for (let attempt = 1; !this.closing; attempt++) {
      try {
        return await this.#openKeeper()
      } catch (error) {
        const message = `a keeper cannot be started: ${(error as Error).message}`
        if (attempt === 1) this.write({ type: 'note', message })
        await new Promise((settle) => setTimeout(settle, 500))
      }
    }
  }
}

const aboutLife = ({ id, spec, life }: Instance): Pick<ProcessEvent, 'process' | 'instance' | 'pid'> => ({
  process: spec.name,
  instance: id,
  pid: life?.pid ?? null,
})
