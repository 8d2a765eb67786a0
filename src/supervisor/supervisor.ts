import type { Exit, ProcessEvent, Snapshot } from '../control/protocol.ts'
import type { LogLine } from '../logs/lines.ts'
import { followRun, tail } from '../logs/tail.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { describeExit, permanentFailure } from './diagnose.ts'
import { Launcher, SHIM_LOST } from './launcher.ts'
import { createMemoryLimit } from './memory-limit.ts'
import { currentDependencies } from './process/dependencies.ts'
import type { Instance } from './process/instance.ts'
import { instanceOf, tokenOf } from './process/names.ts'
import type { ManagedProcess, ProcessDependencies } from './process/managed.ts'
import { Sockets } from './process/sockets.ts'
import type { Invocation } from './process/state.ts'
import { Processes } from './processes.ts'
import { createSweeper, placeOf, type Sweeper } from './procfs/descendant-cleanup.ts'
import { bootId, isSameProcess, readIdentity } from './procfs/process-table.ts'
import type { Shim } from './shim/client.ts'
import type { ShimOptions } from './shim/open-shim.ts'
import { ShimConnection } from './shim-connection.ts'
import { snapshotOf } from './snapshot.ts'
import type { Application, ProcessSpec } from './spec.ts'
import { adoptAll } from './state/adopt.ts'
import { type Journal, type News, openJournal } from './state/event-log.ts'
import { memoryOf, stateOf } from './state/saved-instances.ts'
import { createSaver, type Saver } from './state/saver.ts'
import { readState, type SavedState, writeState } from './state/state-file.ts'
import { createUsageMeter, type UsageMeter } from './usage-meter.ts'

export interface SupervisorOptions {
  readonly stateDir: string
  readonly version: string
  readonly shim: Omit<ShimOptions, 'stateDir'>
  readonly project: PlannedProject
  readonly pid: number
}

/** Number of output lines by which an exit is judged: some servers print a hundred after the important line. */
const LAST_LINES = 100

/** Describes remains that carry no instance tag. */
const UNTAGGED = { pid: -1, startTicks: 0, mark: null, known: new Map<number, number>() }

/**
 * Runs the declared processes. It connects their reducers with the shim, the state file, the event log and the clock.
 * Commands come in through `apply.ts` and `actions.ts`.
 */
export class Supervisor {
  readonly options: SupervisorOptions
  readonly journal: Journal
  readonly sockets: Sockets
  readonly #startedMs = Date.now()
  readonly #saved: SavedState
  readonly #processes: Processes
  readonly #launcher: Launcher
  readonly #connection: ShimConnection
  readonly #sweeper: Sweeper
  readonly #meter: UsageMeter
  readonly #saver: Saver
  #project: PlannedProject
  /** Values of `--set` that the declaration was planned with. */
  #set: readonly string[] = []
  /** Last error of writing the state file; it is reported once. */
  #stateError: string | null = null
  #isEnding = false
  #isClosing = false
  #onRotated: (log: string, sequence: number) => void = () => {}

  constructor(options: SupervisorOptions) {
    const { stateDir, pid } = options
    this.options = options
    this.#project = options.project
    this.journal = openJournal(stateDir)
    this.#saved = readState(stateDir, bootId())
    this.#saver = createSaver(() => this.#writeState())
    const shim = (): Shim => this.#connection.shim
    const place = placeOf(stateDir)
    this.sockets = new Sockets(shim, stateDir)
    this.#launcher = new Launcher({
      stateDir,
      place,
      root: () => this.#project.root,
      shim,
      isShimLost: () => this.#connection.isLost,
      sockets: this.sockets,
      saveNow: () => this.#saver.saveNow(),
    })
    this.#sweeper = createSweeper({
      shimPid: () => shim().pid,
      isMain: (one) => one === pid || this.#launcher.isMain(one),
      place,
      hasOthers: () => this.#connection.hasPredecessor,
      isOurs: ({ mark }) => mark !== null && this.#launcher.isStarted(mark),
    })
    this.#processes = new Processes(memoryOf(this.#saved), this.#dependencies(), () => this.#changed())
    this.#connection = this.#createConnection()
    this.#meter = createUsageMeter({
      rowsOf: (instance) => instance.rows(),
      instances: () => this.instances(),
      onLarge: createMemoryLimit({
        processOf: ({ state }) => this.processes.get(state.spec.name),
        until: this.until,
        write: (news) => this.write(news),
      }),
    })
  }

  get processes(): ReadonlyMap<string, ManagedProcess> {
    return this.#processes.declared
  }

  /** Processes that run but were removed from the declaration. They are stopping. */
  get undeclared(): ReadonlyMap<string, ManagedProcess> {
    return this.#processes.undeclared
  }

  get shim(): Shim {
    return this.#connection.shim
  }

  get set(): readonly string[] {
    return this.#set
  }

  /** The supervisor is shutting down: no command starts anything. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  /** The supervisor leaves. */
  get closing(): boolean {
    return this.#isClosing
  }

  /**
   * Connects to the shim, or starts one.
   *
   * @throws {ShimBusyError} when another supervisor is connected to the shim.
   */
  async open(): Promise<void> {
    await this.#connection.open()
    if (this.shim.isNew) await this.#endUnknown()
  }

  /** Ends invocations that no state file names: supervisor and shim were killed together while they started. */
  async #endUnknown(): Promise<void> {
    const known = new Set(this.#saved.lives.map(({ instance, run }) => tokenOf(instance, run)))
    const marks = this.#sweeper.marks().filter((mark) => !known.has(mark))
    await Promise.all(marks.map((mark) => this.#sweeper.sweep({ ...UNTAGGED, mark })))
  }

  /** Takes the declaration over: the project and the values of `--set`. */
  declare({ project, set = [] }: Application): void {
    this.#project = project
    this.#set = set
  }

  add(spec: ProcessSpec): ManagedProcess {
    return this.#processes.add(spec)
  }

  remove(name: string): void {
    const managed = this.processes.get(name)
    if (!managed) return
    this.sockets.close(managed.state.spec)
    this.#processes.remove(name)
  }

  /** Takes over what an earlier supervisor left running. Call it once, after `add`; returns the ids of its instances. */
  adopt(): readonly string[] {
    const adopted = adoptAll({
      stateDir: this.options.stateDir,
      saved: this.#saved,
      shim: this.shim,
      declared: this.processes,
      addUndeclared: (spec) => this.#processes.addUndeclared(spec),
      isRunning: isSameProcess,
      write: (news) => this.write(news),
    })
    if (this.shim.isNew) this.#holdSockets()
    this.shim.listen()
    return adopted
  }

  instances(): readonly Instance[] {
    return this.#processes.instances
  }

  /** Resolves when the condition holds, or when the supervisor leaves. */
  until = (condition: () => boolean): Promise<void> => this.#processes.until(condition)

  blockedBy(managed: ManagedProcess): readonly string[] {
    return this.#processes.blockersOf(managed)
  }

  /** Says why a process would never start with a specification; null if it may. */
  describeBlockers(spec: ProcessSpec): string | null {
    return this.#processes.describeBlockers(spec)
  }

  dependenciesOf(spec: ProcessSpec): ProcessSpec['dependsOn'] {
    return currentDependencies(this.processes, spec)
  }

  lookAgain(): void {
    this.#processes.lookAgain()
  }

  /** Keeps everything from starting, for good. Instances are stopped by the caller, in their order. */
  end(): void {
    this.#isEnding = true
    for (const managed of this.#processes.all) managed.dispatch({ type: 'close' })
  }

  /** Kills orphans that carry no instance tag. Call it when nothing runs; returns descriptions of survivors. */
  cleanOrphans(): Promise<readonly string[]> {
    return this.#sweeper.sweep(UNTAGGED)
  }

  /** Closes the sockets of undeclared processes. */
  closeForgotten(): void {
    this.sockets.closeForgotten((owner) => this.processes.has(owner) || this.#launcher.isKnown(owner))
  }

  write(news: News): ProcessEvent {
    return this.journal.write(news, Date.now())
  }

  snapshot({ usage = false } = {}): Snapshot {
    const { options, shim } = this
    const facts = { options, shimPid: shim.pid, startedMs: this.#startedMs, project: this.#project, set: this.#set }
    const states = [...this.processes.values()].map(({ state }) => state)
    return snapshotOf(facts, states, usage ? this.#meter.measure() : null)
  }

  lastLines(instance: string, number: number): readonly string[] {
    return tail(this.options.stateDir, instance, { run: number, n: LAST_LINES }).map(({ line }) =>
      line.toString('utf8'),
    )
  }

  /** Calls the function when a log file is complete. */
  onRotated(act: (log: string, sequence: number) => void): void {
    this.#onRotated = act
  }

  /** Leaves everything running; the next supervisor takes it over. */
  leave(): void {
    this.#stopWatching()
    this.#saver.saveNow()
    this.shim.leave()
  }

  /** Ends for good, with the shim. All instances have stopped before. */
  quit(): Promise<void> {
    this.#stopWatching()
    this.#saver.saveNow()
    return this.shim.quit()
  }

  #stopWatching(): void {
    this.#isClosing = true
    this.#connection.close()
    this.#meter.close()
    this.#processes.leave()
    this.journal.close()
  }

  #changed(): void {
    this.#meter.watch()
    this.#saver.save()
  }

  #writeState(): void {
    const { all, memory } = this.#processes
    const declared = [...this.processes.values()].map(({ state }) => state)
    const undeclared = all.map(({ state }) => state).filter((state) => !declared.includes(state))
    try {
      writeState(this.options.stateDir, stateOf({ declared, undeclared, memory }, bootId()))
      if (this.#stateError !== null) this.write({ type: 'note', message: 'its state is written again' })
      this.#stateError = null
    } catch (error) {
      const { message } = error as Error
      // The programs keep running; only the next supervisor would know less.
      if (this.#stateError !== message) this.write({ type: 'note', message: `cannot write its state: ${message}` })
      this.#stateError = message
    }
  }

  #dependencies(): Omit<ProcessDependencies, 'changed'> {
    const { launch, adopt, ended, signal, probeAddressOf } = this.#launcher
    const { stateDir } = this.options
    return {
      nowMs: Date.now,
      random: Math.random,
      write: (news) => void this.write(news),
      launch,
      adopt,
      ended,
      signal,
      probeAddressOf,
      closeSockets: (spec) => this.sockets.close(spec),
      clean: (remains) => this.#sweeper.sweep(remains),
      look: (remains) => this.#sweeper.look(remains),
      identityOf: readIdentity,
      lastLines: ({ token, number }) => this.lastLines(instanceOf(token), number),
      followLines: (invocation, onLine) => followLines(stateDir, invocation, onLine),
      diagnose,
    }
  }

  #createConnection(): ShimConnection {
    const { stateDir, shim } = this.options
    return new ShimConnection({
      ...shim,
      stateDir,
      launcher: () => this.#launcher,
      write: (news) => void this.write(news),
      onNotify: (session, pid, text) => {
        const instance = this.instances().find(({ state: { invocation } }) => {
          return invocation !== null && (invocation.pid === session || invocation.pid === pid)
        })
        instance?.notified(text)
      },
      onRotated: (log, sequence) => this.#onRotated(log, sequence),
      onReplaced: () => this.#adoptAgain(),
    })
  }

  /** Hands what runs to a new shim. */
  async #adoptAgain(): Promise<void> {
    this.sockets.forget()
    const begun: (readonly [Instance, Invocation])[] = []
    for (const instance of this.instances()) {
      const { invocation } = instance.state
      if (!invocation) continue
      this.#launcher.adopt(instance, invocation, false)
      if (invocation.pid === null) begun.push([instance, invocation])
    }
    this.#holdSockets()
    this.shim.listen()
    this.#saver.save()
    await Promise.all(begun.map(([instance, invocation]) => this.#endBegun(instance, invocation)))
  }

  /** Ends what a start left that the lost shim did not report. It carries the invocation's tag. */
  async #endBegun(instance: Instance, { token }: Invocation): Promise<void> {
    await this.#sweeper.sweep({ ...UNTAGGED, mark: token })
    const { invocation } = instance.state
    if (invocation?.token === token && invocation.pid === null) instance.spawnFailed(SHIM_LOST)
  }

  /** Lets a new shim hold the sockets, which only the programs have, so that a new process can listen. */
  #holdSockets(): void {
    for (const { state } of this.processes.values())
      if (state.slots.some(({ current }) => current.invocation !== null)) this.sockets.hold(state.spec)
  }
}

function followLines(stateDir: string, { token, number }: Invocation, onLine: (line: string) => void): () => void {
  const abort = new AbortController()
  const onLogLine = ({ line }: LogLine): void => onLine(line.toString('utf8'))
  // Lines that exist already are read at once, before the caller is ready for them.
  queueMicrotask(() => {
    followRun(stateDir, instanceOf(token), number, onLogLine, abort.signal).catch(() => {})
  })
  return () => abort.abort()
}

const diagnose: ProcessDependencies['diagnose'] = (exit: Exit, { title, lastLines, asked, ready }) => ({
  words: describeExit(exit, { title, lastLines, askedToStop: asked }),
  permanent: ready ? null : permanentFailure(exit, lastLines),
})
