import { join, resolve } from 'node:path'
import type { Exit, ProcessEvent, Snapshot } from '../control/protocol.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { followRun, tail } from '../logs/tail.ts'
import { certainFailure, describeExit } from './diagnose.ts'
import { Instance, type Life, type World } from './instance.ts'
import { type Journal, openJournal } from './journal.ts'
import {
  type BindResult,
  type Keeper,
  type KeeperEvents,
  type KeeperOptions,
  type LogNews,
  openKeeper,
} from './keeper.ts'
import { probeAddressOf, startOf } from './launch.ts'
import { addSlot, createManaged, instancesOf, type Managed, satisfies, statusOf } from './managed.ts'
import { bootId, isSameProcess } from './process-table.ts'
import { describeReload } from './reload.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import type { ProcessSpec } from './spec.ts'
import { readState, type SavedLife, type SavedState, STATE_VERSION, writeState } from './state-file.ts'
import { createSweeper, type Sweeper } from './sweeper.ts'
import { createUsageMeter, type UsageMeter } from './usage-meter.ts'

export interface SupervisorOptions {
  readonly stateDir: string
  readonly version: string
  readonly keeper: Omit<KeeperOptions, 'stateDir'>
  readonly project: PlannedProject
  readonly pid: number
}

/** Lines that are shown of a life that ended. */
const LAST_LINES = 20

/**
 * Runs the declared processes. It owns all instances and decides what depends on what; each instance decides for
 * itself, and the keeper does what both decide. What is asked from outside goes through `apply.ts` and `actions.ts`.
 */
export class Supervisor {
  readonly processes = new Map<string, Managed>()
  readonly journal: Journal
  readonly options: SupervisorOptions
  readonly world: World
  readonly releases: Record<string, string>
  project: PlannedProject
  readonly #startedMs = Date.now()
  readonly #saved: SavedState
  readonly #sweeper: Sweeper
  readonly #scheduler: Scheduler
  readonly #meter: UsageMeter
  readonly #byToken = new Map<string, Instance>()
  readonly #bound = new Map<string, Promise<BindResult>>()
  readonly #waiters = new Set<() => void>()
  /** Pids of the instances that run. */
  readonly #mains = new Set<number>()
  #keeper!: Keeper
  #looking = false
  #saving = false
  closing = false

  constructor(options: SupervisorOptions) {
    this.options = options
    this.project = options.project
    this.journal = openJournal(options.stateDir)
    this.#saved = readState(options.stateDir, bootId())
    this.releases = { ...this.#saved.releases }
    this.#sweeper = createSweeper({
      keeperPid: () => this.#keeper.pid,
      isMain: (pid) => this.#mains.has(pid),
    })
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
    const { stateDir, keeper } = this.options
    this.#keeper = await openKeeper({ stateDir, ...keeper }, this.#keeperEvents())
  }

  get keeper(): Keeper {
    return this.#keeper
  }

  instances(): readonly Instance[] {
    return [...this.processes.values()].flatMap(instancesOf)
  }

  /** Lives that an earlier supervisor left running, of processes that are still declared. Call it once, after `add`. */
  adopt(): readonly string[] {
    const keeper = this.#keeper
    const kept = new Map(keeper.lives.map((life) => [life.token, life]))
    const adopted: string[] = []
    for (const saved of this.#saved.lives) {
      const token = tokenOf(saved.instance, saved.run)
      const isKept = kept.delete(token)
      if (!isKept && !isSameProcess(saved.pid, saved.startTicks)) continue
      this.#adoptLife(saved, token, isKept)
      adopted.push(saved.instance)
    }
    // Started by a supervisor that was killed before it could note it.
    for (const { token, instance, run, pid, startTicks } of kept.values()) {
      const process = instance.replace(/\.\d+$/, '')
      const saved = { instance, process, run, pid, startTicks, ready: false, restarts: 0, stopping: false }
      const rest = { hash: '', startedMs: Date.now(), beside: false, probeAddress: null }
      this.#adoptLife({ ...saved, ...rest, stop: { signal: 'TERM', timeoutMs: 30_000 } }, token, true)
      adopted.push(instance)
    }
    keeper.listen()
    return adopted
  }

  #adoptLife(saved: SavedLife, token: string, isKept: boolean): void {
    const { stateDir } = this.options
    const { instance: id, run, pid, startTicks, hash, startedMs, probeAddress } = saved
    const life: Life = { token, run, hash, startedMs, probeAddress, pid, startTicks }
    const instance = this.#placeOf(saved)
    this.#byToken.set(token, instance)
    this.#mains.add(pid)
    this.#setLog(id, instance.spec)
    instance.adopt(life, saved)
    if (!isKept) this.#keeper.adopt({ token, pid, startTicks, instance: id, run }, pipeOf(stateDir, id, run))
    this.write({ type: 'adopted', process: saved.process, instance: id, run, pid, message: `goes on with pid ${pid}` })
    // What a reload had begun is not what serves; what is not declared any more has nobody to serve.
    const managed = this.processes.get(saved.process)
    if (managed) managed.wanted = this.#saved.processes[saved.process]?.wanted ?? 'running'
    const isCurrent = managed?.slots.some(({ current }) => current === instance)
    if (!isCurrent && !saved.stopping) instance.stop()
  }

  /** The instance that a life is of; one of no process, where it is declared no more. */
  #placeOf(saved: SavedLife): Instance {
    const managed = this.processes.get(saved.process)
    const { instance: id, run } = saved
    if (managed) {
      while (managed.slots.length < numberOf(id)) addSlot(managed, this.world)
      const slot = managed.slots[numberOf(id) - 1]
      if (slot && !saved.beside && slot.current.life === null)
        return (slot.current = new Instance(id, managed.spec, this.world, run))
      if (slot) return (slot.beside = new Instance(id, managed.spec, this.world, run))
    }
    return new Instance(id, strangerSpec(saved), this.world, run)
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
    this.closeSockets(managed.spec)
    this.#scheduler.cancel(managed)
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

  /** What a process waits for, as names; empty when it may start. */
  unmet({ spec }: Managed): readonly string[] {
    return Object.entries(this.dependenciesOf(spec))
      .filter(([name, condition]) => {
        const other = this.processes.get(name)
        return !other || !satisfies(other, condition)
      })
      .map(([name]) => name)
  }

  /** As declared; and nothing starts before what runs once for a release is done, but what that needs itself. */
  dependenciesOf(spec: ProcessSpec): ProcessSpec['dependsOn'] {
    if (spec.run === 'release') return spec.dependsOn
    const releases = [...this.processes.values()].filter(
      (other) => other.spec.run === 'release' && other.wanted === 'running' && !this.#needs(other.spec, spec.name),
    )
    return {
      ...Object.fromEntries(releases.map((other) => [other.spec.name, 'completed' as const])),
      ...spec.dependsOn,
    }
  }

  #needs(spec: ProcessSpec, name: string, seen: ReadonlySet<string> = new Set()): boolean {
    return Object.keys(spec.dependsOn).some((next) => {
      const other = this.processes.get(next)
      return (
        next === name ||
        (!seen.has(next) && other !== undefined && this.#needs(other.spec, name, new Set([...seen, next])))
      )
    })
  }

  /** Names of what keeps a process from ever starting: it failed, or waits for what did. */
  blockedBy(managed: Managed): readonly string[] {
    return this.unmet(managed).filter((name) => {
      const other = this.processes.get(name)
      if (!other) return true
      const phases = other.slots.map(({ current }) => current.phase.is)
      if (phases.includes('failed') || other.wanted === 'stopped') return true
      return phases.includes('waiting') && this.blockedBy(other).length > 0
    })
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
        settings: settings.module,
        python: python.path,
        stateDir,
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
    if (instance.life) this.#keeper.signal(instance.life.token, signal)
  }

  /** Its next life binds other addresses; those of before stay open for those who still serve there. */
  forgetSockets(spec: ProcessSpec): void {
    for (const [index] of spec.listen.entries()) this.#bound.delete(socketName(spec, index))
  }

  closeSockets(spec: ProcessSpec): void {
    for (const [index] of spec.listen.entries()) {
      const name = socketName(spec, index)
      this.#bound.delete(name)
      this.#keeper.close(name)
    }
  }

  /** Notes what is, for the supervisor that comes after this one. Many changes of one moment are noted once. */
  save = (): void => {
    if (this.#saving) return
    this.#saving = true
    setImmediate(() => {
      this.#saving = false
      this.#saveNow()
    })
  }

  #saveNow(): void {
    const processes = [...this.processes].map(([name, { wanted, scaled, slots }]) => {
      const runs = slots.map(({ current, beside }) => Math.max(current.run, beside?.run ?? 0))
      return [name, { wanted, scaled, runs }] as const
    })
    const lives = [...this.processes.values()].flatMap((managed) =>
      managed.slots.flatMap(({ current, beside }) => [
        ...savedLife(current, false),
        ...(beside ? savedLife(beside, true) : []),
      ]),
    )
    try {
      const state = { version: STATE_VERSION, bootId: bootId(), releases: this.releases } as const
      writeState(this.options.stateDir, { ...state, processes: Object.fromEntries(processes), lives })
    } catch (error) {
      // What runs goes on; only a supervisor that came after this one would know less.
      this.write({ type: 'note', message: `cannot write its state: ${(error as Error).message}` })
    }
  }

  /** Ends with everything else left as it is: the next supervisor goes on. */
  leave(): void {
    this.#stopWatching()
    this.#saveNow()
    this.#keeper.leave()
  }

  /** Ends for good; all instances have ended before. */
  quit(): void {
    this.#stopWatching()
    this.#saveNow()
    this.#keeper.quit()
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
        const unmet = this.unmet(managed)
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
    const blocked = this.blockedBy(managed)
    const words = blocked.length > 0 ? `cannot start: ${blocked.join(', ')} failed` : `waits for ${unmet.join(', ')}`
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
    if (!managed || managed.reloading) return
    const limit = instance.spec.memoryLimitBytes as number
    const mib = (value: number): string => `${Math.round(value / 1024 ** 2)} MiB`
    const message = `uses ${mib(bytes)}, more than its ${mib(limit)}: replaced`
    this.write({
      type: 'note',
      process: managed.spec.name,
      instance: instance.id,
      pid: instance.life?.pid ?? null,
      message,
    })
    this.replace(managed, instance)
  }

  /** Replaces one instance as a reload would. Set by what knows how to reload. */
  replace: (managed: Managed, instance: Instance) => void = () => {}

  #createWorld(): World {
    const { stateDir } = this.options
    return {
      nowMs: Date.now,
      random: Math.random,
      write: (news) => void this.write(news),
      launch: (instance, run) => this.#launch(instance, run),
      signal: ({ token }, signal) => this.#keeper.signal(token, signal),
      sweep: (life) => this.#sweeper.sweep(life),
      look: (life) => this.#sweeper.look(life),
      lastLines: ({ token, run }) => this.lastLines(instanceOf(token), run),
      followLines: ({ token, run }, onLine) => {
        const life = new AbortController()
        followRun(stateDir, instanceOf(token), run, ({ line }) => onLine(line.toString('utf8')), life.signal).catch(
          () => {},
        )
        return () => life.abort()
      },
      diagnose: (exit: Exit, { title, lastLines, asked, ready }) => ({
        words: describeExit(exit, { title, lastLines, askedToStop: asked }),
        certain: ready ? null : certainFailure(exit, lastLines),
      }),
      ended: (life) => this.#lifeEnded(life),
      changed: () => {
        this.#meter.watch()
        this.save()
        this.lookAgain()
      },
    }
  }

  #launch(instance: Instance, run: number): Life {
    const { spec, id } = instance
    const token = tokenOf(id, run)
    const shares = spec.inherited !== null && spec.listen.length > 0
    const probeAddress = shares ? probeAddressOf(this.options.stateDir, token) : null
    const life: Life = { token, run, hash: spec.hash, startedMs: Date.now(), probeAddress, pid: null, startTicks: 0 }
    this.#byToken.set(token, instance)
    this.#setLog(id, spec)
    if (probeAddress === null) this.#startNow(instance, life, [])
    else void this.#startWithSockets(instance, life, probeAddress)
    return life
  }

  async #startWithSockets(instance: Instance, life: Life, probeAddress: string): Promise<void> {
    const { spec } = instance
    const listening = spec.inherited?.listening ?? false
    const names = spec.listen.map((_, index) => socketName(spec, index))
    const probe = `${life.token}/probe`
    const binds = [
      ...names.map((name, index) => this.#bindOnce(name, absolute(spec.listen[index] as string, spec.cwd), listening)),
      this.#keeper.bind(probe, probeAddress, listening),
    ]
    const results = await Promise.all(binds)
    const failed = results.findIndex((result) => 'errno' in result)
    if (failed < 0) return this.#startNow(instance, life, [...names, probe])
    const { errno, message } = results[failed] as Extract<BindResult, { errno: number }>
    const address = spec.listen[failed] ?? probeAddress
    // The next attempt asks again.
    for (const name of names) this.#bound.delete(name)
    this.#byToken.delete(life.token)
    instance.spawnFailed({ errno, message, what: `address ${address}` })
  }

  /** One socket for all instances of a process, and for all that come after them. */
  #bindOnce(name: string, address: string, listening: boolean): Promise<BindResult> {
    const bound = this.#bound.get(name) ?? this.#keeper.bind(name, address, listening)
    this.#bound.set(name, bound)
    return bound
  }

  #startNow(instance: Instance, life: Life, sockets: readonly string[]): void {
    const { token, run } = life
    const input = { spec: instance.spec, instance: instance.id, run, token, sockets }
    const { root } = this.project
    try {
      this.#keeper.start(startOf({ ...input, root, notifySocket: this.#keeper.notifySocket }))
    } catch (error) {
      queueMicrotask(() => instance.spawnFailed({ errno: 0, message: (error as Error).message, what: 'start' }))
    }
  }

  #setLog(instance: string, { log }: ProcessSpec): void {
    this.#keeper.log(instance, log)
  }

  #lifeEnded({ token, probeAddress }: Life): void {
    this.#byToken.delete(token)
    this.#keeper.forget(token)
    if (probeAddress !== null) this.#keeper.close(`${token}/probe`)
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
    const who = { process: log.replace(/\.\d+$/, ''), instance: log }
    if (news.type === 'full')
      this.write({ type: 'log-lost', ...who, message: 'no space left: its output cannot be stored; it goes on' })
    if (news.type === 'error')
      this.write({ type: 'log-lost', ...who, message: `its output cannot be stored: ${news.message}` })
    if (news.type === 'lost')
      this.write({
        type: 'log-lost',
        ...who,
        message: `there is room again; ${news.lines} lines (${news.bytes} bytes) were not stored`,
      })
    if (news.type === 'rotated') this.onRotated(log, news.sequence)
  }

  /** A log file is complete. Set by what compresses them. */
  onRotated: (log: string, sequence: number) => void = () => {}

  /** The programs live on, and hold their pipes open. Another keeper takes them over. */
  async #keeperLost(): Promise<void> {
    if (this.closing) return
    this.write({ type: 'note', message: 'the keeper has gone; another one takes over what runs' })
    await this.open()
    this.#bound.clear()
    const { stateDir } = this.options
    for (const instance of this.instances()) {
      const { life, id } = instance
      if (!life) continue
      this.#setLog(id, instance.spec)
      if (life.pid === null) {
        // It was about to be started, and perhaps was: whatever came of it carries its mark.
        await this.#sweeper.sweep({ pid: -1, startTicks: 0, mark: life.token, known: new Map() })
        instance.spawnFailed({ errno: 11, message: 'EAGAIN: the keeper has gone', what: 'start' })
      } else
        this.#keeper.adopt(
          { token: life.token, pid: life.pid, startTicks: life.startTicks, instance: id, run: life.run },
          pipeOf(stateDir, id, life.run),
        )
    }
    this.#keeper.listen()
    this.save()
  }
}

/** A path of a socket is the program's, and the keeper is elsewhere. */
const absolute = (address: string, cwd: string): string =>
  address.startsWith('unix:') ? `unix:${resolve(cwd, address.slice(5))}` : address

const tokenOf = (instance: string, run: number): string => `${instance}#${run}`
const instanceOf = (token: string): string => token.slice(0, token.lastIndexOf('#'))
const numberOf = (instance: string): number => Number(instance.slice(instance.lastIndexOf('.') + 1))
const socketName = ({ name, listen }: ProcessSpec, index: number): string => `${name}/${listen[index]}`
const pipeOf = (stateDir: string, instance: string, run: number): string =>
  join(stateDir, 'run', `${instance}-${run}.log`)

function savedLife(instance: Instance, beside: boolean): readonly SavedLife[] {
  const { life, spec, id, restarts, phase } = instance
  if (!life || life.pid === null) return []
  const { run, pid, startTicks, hash, startedMs, probeAddress } = life
  return [
    {
      instance: id,
      process: spec.name,
      run,
      pid,
      startTicks,
      hash,
      startedMs,
      ready: phase.is === 'running',
      restarts,
      stopping: phase.is === 'stopping',
      beside,
      probeAddress,
      stop: spec.stop,
    },
  ]
}

/** Enough to stop what is declared no more. */
function strangerSpec({ process, hash, stop }: SavedLife): ProcessSpec {
  return {
    name: process,
    kind: 'worker',
    backend: '',
    title: process,
    argv: [],
    env: {},
    cwd: '/',
    listen: [],
    inherited: null,
    alone: null,
    instances: 0,
    run: 'always',
    dependsOn: {},
    ready: { delayMs: 0, intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 },
    alive: null,
    restart: { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 },
    stop,
    reload: 'restart',
    memoryLimitBytes: null,
    schedule: null,
    user: null,
    group: null,
    umask: null,
    nice: null,
    limits: {},
    log: { maxSizeBytes: 10 * 1024 ** 2, keep: 5, compress: false },
    enabled: false,
    hash,
  }
}
