import { printDuration } from '../../core/durations.ts'
import type { Exit } from '../../control/protocol.ts'
import { lastOwnLines } from '../own-frames.ts'
import { createProber, type Prober } from '../probes/prober.ts'
import type { Remains } from '../procfs/descendant-cleanup.ts'
import type { ProcessRow } from '../procfs/process-table.ts'
import type { StartFailure } from '../shim/messages.ts'
import type { News } from '../state/event-log.ts'
import type { ProcessEffect, ProcessEvent } from './events.ts'
import type { InstanceState, Invocation } from './state.ts'
import { phaseOf } from './views.ts'

/** Functions and clocks that an instance uses to carry out effects. */
export interface InstanceDependencies {
  readonly nowMs: () => number
  readonly random: () => number
  readonly write: (news: News) => void
  /** Starts a program; the shim's reports come through the methods of the instance. */
  readonly launch: (instance: Instance, invocation: Invocation) => void
  /** Takes over an invocation that an earlier supervisor started. */
  readonly adopt: (instance: Instance, invocation: Invocation, isKept: boolean) => void
  readonly signal: (invocation: Invocation, signal: NodeJS.Signals) => void
  /** Kills everything that an invocation left; returns descriptions of survivors. */
  readonly clean: (remains: Remains) => Promise<readonly string[]>
  /** Returns everything that belongs to an invocation now. */
  readonly look: (remains: Remains) => readonly ProcessRow[]
  /** Returns the user and group of a process; undefined if it has exited. */
  readonly identityOf: (pid: number) => { readonly uid: number; readonly gid: number } | undefined
  readonly lastLines: (invocation: Invocation) => readonly string[]
  readonly followLines: (invocation: Invocation, onLine: (line: string) => void) => () => void
  readonly diagnose: (
    exit: Exit,
    context: { title: string; lastLines: readonly string[]; asked: boolean; ready: boolean },
  ) => { words: string; permanent: string | null }
  /** The invocation and its descendants are gone. */
  readonly ended: (invocation: Invocation, addresses: number) => void
}

type InstanceEffect = Extract<ProcessEffect, { key: number }>

/**
 * Carries out effects for one instance, and reports facts as events. It holds timers and probes, and no state of the
 * process.
 */
export class Instance {
  readonly key: number
  readonly id: string
  readonly #dependencies: InstanceDependencies
  readonly #dispatch: (event: ProcessEvent) => void
  readonly #look: () => InstanceState | undefined
  readonly #timers = new Set<() => void>()
  #prober: Prober | null = null
  /** Pids and start ticks of descendants, as seen before the stop signal. */
  #known: ReadonlyMap<number, number> = new Map()

  /** Last known state, for readers that hold a removed instance. */
  #last: InstanceState

  /** @param look Returns the state of the instance; undefined once its process has removed it. */
  constructor(
    initial: InstanceState,
    dependencies: InstanceDependencies,
    dispatch: (event: ProcessEvent) => void,
    look: () => InstanceState | undefined,
  ) {
    this.key = initial.key
    this.id = initial.id
    this.#last = initial
    this.#dependencies = dependencies
    this.#dispatch = dispatch
    this.#look = look
  }

  get state(): InstanceState {
    return this.#look() ?? this.#last
  }

  start = (): void => this.#dispatch({ type: 'start-instance', key: this.key })
  stop = (): void => this.#dispatch({ type: 'stop-instance', key: this.key })
  kill = (): void => this.#dispatch({ type: 'kill-instance', key: this.key })
  restart = (): void => this.#dispatch({ type: 'restart-instance', key: this.key })

  spawned(pid: number, startTicks: number): void {
    const { key, state } = this
    const { invocation } = state
    if (invocation) this.#dispatch({ type: 'spawned', key, number: invocation.number, pid, startTicks })
  }

  spawnFailed(failure: StartFailure): void {
    const { key, state } = this
    const { invocation } = state
    if (invocation) this.#dispatch({ type: 'spawn-failed', key, number: invocation.number, failure })
  }

  exited(exit: Exit): void {
    const { key, state } = this
    const { invocation, spec, readyMs } = state
    if (!invocation) return
    const asked = phaseOf(state) === 'stopping'
    const ready = readyMs !== null
    // A restart without delay does not wait for the last output to be read.
    const isHurried = ready && !asked && spec.restart.delayMs === 0
    const lastLines = asked || isHurried ? [] : this.#dependencies.lastLines(invocation)
    const { words, permanent } = this.#dependencies.diagnose(exit, { title: spec.title, lastLines, asked, ready })
    this.#stopProbing()
    const details = isHurried ? null : shown(lastLines)
    this.#dispatch({ type: 'exited', key, number: invocation.number, exit, words, permanent, details })
  }

  /** Takes a message that the program sent as `sd_notify` does. */
  notified(text: string): void {
    const { spec } = this.state
    const waits = spec.ready.notify === true || spec.ready.delayMs !== undefined
    if (waits && /^READY=1$/m.test(text) && phaseOf(this.state) === 'starting') this.#ready()
  }

  /** Returns everything that belongs to the current invocation. */
  rows(): readonly ProcessRow[] {
    const { invocation } = this.state
    return invocation?.pid ? this.#dependencies.look(this.#remainsOf(invocation)) : []
  }

  /** Ends its timers and probes. The program keeps running. */
  leave(): void {
    this.#stopProbing()
    for (const cancel of this.#timers) cancel()
  }

  carryOut(effect: InstanceEffect): void {
    switch (effect.do) {
      case 'spawn':
        this.#known = new Map()
        this.#dependencies.launch(this, effect.invocation)
        return
      case 'adopt':
        this.#dependencies.adopt(this, effect.invocation, effect.isKept)
        return
      case 'signal':
        this.#signal(effect.signal)
        return
      case 'hang-up':
        if (this.state.invocation) this.#dependencies.signal(this.state.invocation, 'SIGHUP')
        return
      case 'clean':
        void this.#clean()
        return
      case 'wake':
        this.#after(effect.afterMs, () => this.#dispatch({ type: 'elapsed', key: this.key, seq: effect.seq }))
        return
      case 'watch-ready':
        this.#watchReady()
        return
      case 'watch-alive':
        this.#watchAlive()
        return
      case 'end-invocation':
        this.#stopProbing()
        this.#dependencies.ended(effect.invocation, this.state.spec.listen.length)
        return
      case 'retire':
        this.#last = effect.instance
        this.leave()
        return
      case 'read-output':
        setImmediate(() => this.#readOutput(effect))
        return
      default:
        effect satisfies never
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const { invocation } = this.state
    if (!invocation) return
    this.#stopProbing()
    // Descendants that leave the session later are found by this look.
    this.#known = new Map(this.rows().map(({ pid, startTicks }) => [pid, startTicks]))
    this.#dependencies.signal(invocation, signal)
  }

  async #clean(): Promise<void> {
    const { invocation } = this.state
    if (!invocation) return
    const left = await this.#dependencies.clean(this.#remainsOf(invocation))
    this.#dispatch({ type: 'cleaned', key: this.key, number: invocation.number, left })
  }

  #readOutput({ invocation, news }: Extract<InstanceEffect, { do: 'read-output' }>): void {
    const details = shown(this.#dependencies.lastLines(invocation))
    this.#dispatch({ type: 'output-read', key: this.key, news, details })
  }

  #remainsOf({ pid, startTicks, token }: Invocation): Remains {
    return { pid: pid ?? -1, startTicks, mark: token, known: this.#known }
  }

  #watchReady(): void {
    const { invocation, spec } = this.state
    if (!invocation) return
    const { ready: probe } = spec
    const stopFollowing =
      probe.log === undefined
        ? () => {}
        : this.#dependencies.followLines(invocation, (line) => this.#prober?.feed(line))
    const cancel = this.#after(probe.startMs, () => {
      const reply = this.#prober?.lastReply()
      this.#probeFailed(`not ready within ${printDuration(probe.startMs)}${reply ? `: ${reply}` : ''}`)
    })
    const target = this.#target(invocation)
    const prober =
      probe.notify === true ? null : createProber({ purpose: 'ready', probe, target, report: () => this.#ready() })
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
    const { invocation, spec } = this.state
    this.#stopProbing()
    if (!invocation || !spec.alive) return
    const { failures } = spec.alive
    this.#prober = createProber({
      purpose: 'alive',
      probe: spec.alive,
      target: this.#target(invocation),
      report: (result) => {
        if (!result.ok) this.#probeFailed(`alive no more, ${failures} times in a row: ${result.reply}`)
      },
    })
  }

  #target({ pid, probeAddress }: Invocation): Parameters<typeof createProber>[0]['target'] {
    const { env, cwd, listen, user, group } = this.state.spec
    // A probe that runs a program runs it as the user of the process.
    const hasIdentity = (user !== null || group !== null) && pid !== null
    const identity = hasIdentity ? this.#dependencies.identityOf(pid) : undefined
    return { address: probeAddress ?? listen[0] ?? null, listen, env, cwd, ...identity }
  }

  #ready(): void {
    const { key, state } = this
    if (state.invocation) this.#dispatch({ type: 'ready', key, number: state.invocation.number })
  }

  #probeFailed(reason: string): void {
    const { key, state } = this
    const { invocation } = state
    if (!invocation) return
    const details = shown(this.#dependencies.lastLines(invocation))
    this.#dispatch({ type: 'probe-failed', key, number: invocation.number, reason, details })
  }

  #stopProbing(): void {
    this.#prober?.stop()
    this.#prober = null
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
}

/** The last output as it is shown to a person. */
const shown = (lines: readonly string[]): string => lastOwnLines(lines).join('\n')
