import { setTimeout as sleep } from 'node:timers/promises'
import { connectSupervisor, isSnapshot, type SupervisorClient } from '../../../control/client.ts'
import type { ActionLine } from '../../../control/protocol.ts'
import { EXIT } from '../../../core/errors.ts'
import { createFilter } from '../../../core/selectors.ts'
import { followLogs } from '../../../logs/follow.ts'
import { linesIn } from '../../../logs/lines.ts'
import { readSet } from '../../../logs/read-log.ts'
import type { Paint } from '../../output/print.ts'
import { renderWhy } from '../../output/render-why.ts'
import type { Key } from './keys.ts'
import { pageSize, renderTop } from './render.ts'
import {
  type Act,
  createTopState,
  type Effect,
  press,
  selectedRow,
  type TopState,
  withLines,
  withSnapshot,
} from './state.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** Time between two looks: processor and memory are averages of it. */
const LOOK_MS = 2000
/** Events come in groups; one look is enough for a group. */
const SOON_MS = 50
const RECONNECT_MS = 1000
const PAST_LINES = 500
/** A process that prints much changes the screen more often than a person sees. */
const FRAME_MS = 20

interface SessionOptions {
  readonly selectors: readonly string[]
  readonly paint: Paint
  readonly stateDir: string
  readonly client: SupervisorClient
}

/** `top` on a terminal: keeps the state of the screen up to date and carries out what keys ask for. */
export class Session {
  readonly #paint: Paint
  readonly #stateDir: string
  readonly #life = new AbortController()
  readonly #ended = Promise.withResolvers<number>()
  readonly #terminal: Terminal
  #client: SupervisorClient
  #state: TopState
  #drawing: NodeJS.Timeout | undefined
  /** Ends the following of the selected instance's log. */
  #selection = new AbortController()
  /** Resolves when the next look must not wait. */
  #soon = Promise.withResolvers<void>()

  constructor({ selectors, paint, stateDir, client }: SessionOptions) {
    this.#paint = paint
    this.#stateDir = stateDir
    this.#client = client
    const isSelected = createFilter(selectors)
    this.#state = createTopState(({ owner: { process, kind }, status: { instance } }) =>
      isSelected({ process, kind, instance }),
    )
    this.#terminal = openTerminal({
      onKey: (key) => this.#onKey(key),
      onResize: () => this.#draw(),
      onSignal: () => this.#ended.resolve(EXIT.interrupted),
    })
  }

  /** Resolves with the exit code when the user leaves. */
  async run(): Promise<number> {
    // An error of any of these is a bug. It ends the program with a message on the shell's own screen.
    for (const work of [this.#watch(), this.#look(), this.#followSelected()]) work.catch(this.#ended.reject)
    try {
      return await this.#ended.promise
    } finally {
      this.#life.abort()
      clearTimeout(this.#drawing)
      this.#terminal.close()
    }
  }

  get #signal(): AbortSignal {
    return this.#life.signal
  }

  #draw(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined
      this.#terminal.draw(renderTop(this.#state, this.#terminal.size(), Date.now(), this.#paint))
    }, FRAME_MS)
  }

  #update(change: Partial<TopState>): void {
    const before = selectedRow(this.#state)?.status.instance
    this.#state = { ...this.#state, ...change }
    if (selectedRow(this.#state)?.status.instance !== before) this.#selection.abort()
    this.#draw()
  }

  #onKey(key: Key): void {
    const { state, effect } = press(this.#state, key, pageSize(this.#state, this.#terminal.size()))
    this.#update(state)
    if (effect) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        return this.#ended.resolve(EXIT.done)
      case 'suspend':
        return this.#terminal.suspend()
      case 'redraw':
        this.#terminal.forget()
        return this.#draw()
      case 'act':
        return void this.#act(effect.act)
      case 'ask-why':
        return void this.#askWhy(effect.instance)
    }
  }

  /** Requests an action. The supervisor carries it out even if this program ends. */
  async #act({ request, command }: Act): Promise<void> {
    try {
      for await (const line of this.#client.action(request, this.#signal))
        this.#update({ message: `${command}: ${describeLine(line)}` })
    } catch (error) {
      this.#showError(error)
    }
  }

  async #askWhy(instance: string): Promise<void> {
    try {
      const text = renderWhy(await this.#client.why(instance), Date.now(), (_, words) => words)
      this.#update({ why: text.trimEnd().split('\n') })
    } catch (error) {
      this.#showError(error)
    }
  }

  #showError(error: unknown): void {
    if (!this.#signal.aborted) this.#update({ message: error instanceof Error ? error.message : String(error) })
  }

  /** Waits for events, each of which asks for a look, and connects again when the supervisor is gone. */
  async #watch(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        for await (const item of this.#client.events(this.#signal))
          if (!isSnapshot(item)) setTimeout(() => this.#soon.resolve(), SOON_MS)
      } catch {
        // The screen shows below that the supervisor does not answer.
      }
      if (this.#signal.aborted) return
      this.#update({ isConnected: false })
      await this.#wait(RECONNECT_MS)
      this.#client = (await connectSupervisor(this.#stateDir).catch(() => undefined)) ?? this.#client
    }
  }

  async #look(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        this.#update(withSnapshot(this.#state, await this.#client.snapshot({ usage: true })))
      } catch {
        this.#update({ isConnected: false })
      }
      await Promise.race([this.#wait(LOOK_MS), this.#soon.promise])
      this.#soon = Promise.withResolvers()
    }
  }

  async #followSelected(): Promise<void> {
    while (!this.#signal.aborted) {
      this.#selection = new AbortController()
      const instance = selectedRow(this.#state)?.status.instance
      this.#update({ log: [], back: 0 })
      const until = AbortSignal.any([this.#signal, this.#selection.signal])
      if (instance === undefined) await aborted(until)
      else await this.#followOne(instance, until)
    }
  }

  async #followOne(instance: string, until: AbortSignal): Promise<void> {
    const follower = followLogs({ stateDir: this.#stateDir, wants: (name) => name === instance, signal: until })
    try {
      const past = readSet(this.#stateDir, follower.set, { last: PAST_LINES }, follower.ends)
      this.#update(withLines(this.#state, [...past]))
      for await (const chunks of follower) {
        if (until.aborted) continue
        const lines = chunks.flatMap((chunk) => [...linesIn(chunk)])
        this.#update(withLines(this.#state, lines))
      }
    } finally {
      follower.close()
    }
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => {})
  }
}

function describeLine(line: ActionLine): string {
  if ('event' in line) return [line.event.instance, line.event.message].filter(Boolean).join(' ')
  if ('begun' in line) return ''
  return line.result.changes
    .map(({ process, did, message }) => [process, did, message].filter(Boolean).join(' '))
    .join('; ')
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
