import { setTimeout as sleep } from 'node:timers/promises'
import { connectSupervisor, isSnapshot, type SupervisorClient } from '../../../control/client.ts'
import type { ActionLine } from '../../../control/protocol.ts'
import { EXIT, UsageError } from '../../../core/errors.ts'
import { followLogs } from '../../../logs/follow.ts'
import { linesIn } from '../../../logs/lines.ts'
import { readSet } from '../../../logs/read-log.ts'
import { requireRunning } from '../../require-supervisor.ts'
import type { CommandContext } from '../index.ts'
import type { Key } from './keys.ts'
import { locateState } from '../../locate-state.ts'
import type { PsRow } from '../../output/process-table.ts'
import { pageSize, renderTop } from './render.ts'
import { renderWhy } from '../../output/render-why.ts'
import { type Candidate, createFilter } from '../../../core/selectors.ts'
import { selectableProcesses, selectRunning } from '../../select.ts'
import { openTerminal } from './terminal.ts'
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

/** Processor and memory are averages since the last look. */
const LOOK_MS = 2000
/** Events come in groups: one look is enough for those of a moment. */
const SOON_MS = 50
const RECONNECT_MS = 1000
const PAST_LINES = 500
const FRAME_MS = 20

/** What runs, live, on the whole screen. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io } = context
  if (options.values['once']) return (await import('../ps/execute.ts')).execute(context)
  if (options.values['json']) throw new UsageError('--json needs --once.', 'Write: prodserver top --once --json')
  if (!io.stdout.isTerminal || !isTerminal(0))
    throw new UsageError('top needs a terminal.', 'Write: prodserver top --once')
  const stateDir = locateState(context)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const snapshot = await client.snapshot({ usage: true })
  selectRunning(options.positionals, selectableProcesses(snapshot.processes))
  return show(context, stateDir, client)
}

const isTerminal = (fd: number): boolean => process.getBuiltinModule('node:tty').isatty(fd)

const candidateOf = ({ owner: { process, kind }, status: { instance } }: PsRow): Candidate => ({
  process,
  kind,
  instance,
})

async function show({ options, paint }: CommandContext, stateDir: string, first: SupervisorClient): Promise<number> {
  const isSelected = createFilter(options.positionals)
  let client = first
  let state = createTopState((row) => isSelected(candidateOf(row)))
  const life = new AbortController()
  const { signal } = life
  const ended = Promise.withResolvers<number>()
  let drawing: NodeJS.Timeout | undefined
  let selection = new AbortController()
  let soon = Promise.withResolvers<void>()
  const terminal = openTerminal({
    onKey,
    onResize: draw,
    onSignal: () => ended.resolve(EXIT.interrupted),
  })
  // Whatever of it fails is a bug, and ends the program with a message on the shell's own screen.
  for (const work of [watch(), look(), followSelected()]) work.catch(ended.reject)
  try {
    return await ended.promise
  } finally {
    life.abort()
    clearTimeout(drawing)
    terminal.close()
  }

  /** A process that prints much changes the screen more often than anybody sees. */
  function draw(): void {
    drawing ??= setTimeout(() => {
      drawing = undefined
      terminal.draw(renderTop(state, terminal.size(), Date.now(), paint))
    }, FRAME_MS)
  }

  function update(next: TopState): void {
    const before = selectedRow(state)?.status.instance
    state = next
    if (selectedRow(state)?.status.instance !== before) selection.abort()
    draw()
  }

  function onKey(key: Key): void {
    const step = press(state, key, pageSize(state, terminal.size()))
    update(step.state)
    if (step.effect) carryOut(step.effect)
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        return ended.resolve(EXIT.done)
      case 'suspend':
        return terminal.suspend()
      case 'redraw':
        terminal.forget()
        return draw()
      case 'act':
        return void act(effect.act)
      case 'ask-why':
        return void askWhy(effect.instance)
    }
  }

  /** The supervisor goes on with it, whether anybody watches or not. */
  async function act({ request, command }: Act): Promise<void> {
    try {
      for await (const line of client.action(request, signal)) {
        update({ ...state, message: `${command}: ${describeLine(line)}` })
      }
    } catch (error) {
      fail(error)
    }
  }

  async function askWhy(instance: string): Promise<void> {
    try {
      const why = await client.why(instance)
      const text = renderWhy(why, Date.now(), (_, words) => words)
      update({ ...state, why: text.trimEnd().split('\n') })
    } catch (error) {
      fail(error)
    }
  }

  function fail(error: unknown): void {
    if (!signal.aborted) update({ ...state, message: error instanceof Error ? error.message : String(error) })
  }

  /** Has a look taken when something happened, and connects again to a supervisor that is gone. */
  async function watch(): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const item of client.events(signal)) if (!isSnapshot(item)) setTimeout(() => soon.resolve(), SOON_MS)
      } catch {
        // What it says is on the screen: nobody answers.
      }
      if (signal.aborted) return
      update({ ...state, isConnected: false })
      await wait(RECONNECT_MS)
      client = (await connectSupervisor(stateDir).catch(() => undefined)) ?? client
    }
  }

  async function look(): Promise<void> {
    while (!signal.aborted) {
      try {
        update(withSnapshot(state, await client.snapshot({ usage: true })))
      } catch {
        update({ ...state, isConnected: false })
      }
      await Promise.race([wait(LOOK_MS), soon.promise])
      soon = Promise.withResolvers()
    }
  }

  async function followSelected(): Promise<void> {
    while (!signal.aborted) {
      selection = new AbortController()
      const instance = selectedRow(state)?.status.instance
      update({ ...state, log: [], back: 0 })
      const both = AbortSignal.any([signal, selection.signal])
      if (instance === undefined) await aborted(both)
      else await followOne(instance, both)
    }
  }

  async function followOne(instance: string, until: AbortSignal): Promise<void> {
    const follower = followLogs({ stateDir, wants: (name) => name === instance, signal: until })
    try {
      const past = readSet(stateDir, follower.set, { last: PAST_LINES }, follower.ends)
      update(withLines(state, [...past]))
      for await (const chunks of follower)
        if (!until.aborted)
          update(
            withLines(
              state,
              chunks.flatMap((chunk) => [...linesIn(chunk)]),
            ),
          )
    } finally {
      follower.close()
    }
  }

  async function wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => {})
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
