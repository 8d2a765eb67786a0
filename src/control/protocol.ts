import type { ProcessKind } from '../core/types.ts'

/**
 * What goes through the control socket of a supervisor: HTTP, with JSON in both directions. The command line, and
 * whatever else wants to know or to change what runs, uses these and nothing else.
 *
 * Every time is RFC 3339 in UTC, every duration in milliseconds, every size in bytes.
 */

/** Grows when a client of before would misunderstand an answer. */
export const API_VERSION = 1

export const INSTANCE_STATES = [
  'waiting',
  'starting',
  'running',
  'stopping',
  'backoff',
  'failed',
  'done',
  'stopped',
] as const

/** What an instance is doing, in one word. */
export type InstanceStateName = (typeof INSTANCE_STATES)[number]

/** Documentation of the states, in the order of the reference page. */
export const STATE_MEANINGS: Readonly<Record<InstanceStateName, string>> = {
  waiting: 'It is to run, and waits for what it depends on, or for its next time.',
  starting: 'Its program was started and is not ready yet.',
  running: 'Ready: it can do its work.',
  stopping: 'It was asked to stop, and finishes what it does.',
  backoff: 'It ended, and is started again after a delay.',
  failed: 'It ended and is not started again; `why` says for what reason.',
  done: 'It ran to completion.',
  stopped: 'It does not run, and is not to.',
}

/** How a program ended. Both are null where nobody could see it: its parent was killed. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** The end of an instance's life. */
export interface LastExit extends Exit {
  readonly at: string
  /** In a few words: `exit 1`, `killed by SIGKILL`, `gunicorn could not load the application`. */
  readonly words: string
  readonly ranMs: number
}

export interface InstanceStatus {
  /** `web.1`. */
  readonly instance: string
  readonly process: string
  readonly state: InstanceStateName
  readonly pid: number | null
  /** How many lives it has had, this one included. */
  readonly run: number
  /** Since when it is in this state. */
  readonly since: string
  readonly startedAt: string | null
  readonly readyAt: string | null
  /** Restarts that nobody asked for. */
  readonly restarts: number
  readonly lastExit: LastExit | null
  /** When it is started again, in `backoff`; its next time, with a schedule. */
  readonly nextAt: string | null
  /** What it waits for: names of processes. */
  readonly waitingFor: readonly string[]
  /** Why it is in this state, where that needs words: one sentence. */
  readonly reason: string | null
  /** A second life beside it: the one that a reload starts, or the one that it replaced and that still finishes. */
  readonly beside: { readonly pid: number | null; readonly run: number; readonly state: InstanceStateName } | null
  /** Of its whole process tree; absent unless asked for. */
  readonly usage?: Usage | undefined
}

export interface Usage {
  /** Of one processor, since the last time that it was asked, or since the start. */
  readonly cpuPercent: number
  /** Proportional set size where the system tells it: shared memory counts once. */
  readonly memoryBytes: number
  readonly processes: number
}

export interface ProcessStatus {
  readonly process: string
  readonly kind: ProcessKind
  /** The program as people write it: `gunicorn`. */
  readonly title: string
  readonly wanted: 'running' | 'stopped'
  readonly run: 'always' | 'once' | 'release'
  readonly listen: readonly string[]
  /** How new code gets in: what `reload` will do, in words. */
  readonly reload: string
  readonly schedule: string | null
  /** As declared; `scale` may have changed how many there are. */
  readonly declaredInstances: number
  readonly instances: readonly InstanceStatus[]
}

export interface Snapshot {
  readonly supervisor: SupervisorStatus
  readonly processes: readonly ProcessStatus[]
}

export interface SupervisorStatus {
  readonly version: string
  readonly api: number
  readonly pid: number
  readonly shimPid: number
  readonly startedAt: string
  readonly root: string
  /** Null where only a config file declares processes; and so is the interpreter. */
  readonly settings: string | null
  readonly python: string | null
  readonly stateDir: string
  /** What `--set` holds until the next `up`: `web.ARGS.workers`, without its value. */
  readonly set?: readonly string[] | undefined
}

export const EVENT_TYPES = [
  'waiting',
  'starting',
  'ready',
  'not-ready',
  'exited',
  'backoff',
  'failed',
  'done',
  'stopping',
  'killed',
  'stopped',
  'left-behind',
  'reloading',
  'reloaded',
  'reload-refused',
  'log-lost',
  'adopted',
  'skipped',
  'note',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** Documentation of the events, in the order of the reference page. */
export const EVENT_MEANINGS: Readonly<Record<EventType, string>> = {
  waiting: 'It is to run, and waits for what it depends on.',
  starting: 'Its program was started.',
  ready: 'It can do its work; `ms` is the time since its start.',
  'not-ready': 'It did not get ready in time, or is alive no more, and is ended; `details` are its last lines.',
  exited: 'Its program ended; `ms` is how long it ran, `details` are its last lines where nobody had asked it to stop.',
  backoff: 'It is started again after a delay of `ms`.',
  failed: 'It is not started again.',
  done: 'It ran to completion, or need not run.',
  stopping: 'It is to stop: it was sent its signal, or what it left behind is ended.',
  killed: 'It was sent SIGKILL.',
  stopped: 'It does not run any more, as somebody asked.',
  'left-behind': 'Something of it is still there and cannot be ended.',
  reloading: 'A reload of the process began.',
  reloaded: 'The reload of the process succeeded.',
  'reload-refused': 'The reload of the process failed; `message` says what runs now.',
  'log-lost': 'Its output cannot be stored, or can be again.',
  adopted: 'It was running already, and its supervisor is another one now.',
  skipped: 'It was not started: it ran for this release before, or the last one of its schedule still runs.',
  note: 'Something else that is worth knowing.',
}

/** Something that happened. `events`, the event stream and `events.jsonl` carry the same objects. */
export interface ProcessEvent {
  /** Grows by one. */
  readonly id: number
  readonly time: string
  readonly type: EventType
  readonly process: string | null
  readonly instance: string | null
  readonly run: number | null
  readonly pid: number | null
  readonly exit?: Exit | undefined
  /** How long: of `ready` since the start, of `exited` the life, of `backoff` the delay. */
  readonly ms?: number | undefined
  /** One sentence, for a person. */
  readonly message: string
  /** Evidence, several lines: the last output, the probe's reply. */
  readonly details?: string | undefined
}

export const VERBS = ['start', 'stop', 'restart', 'reload', 'scale', 'down'] as const

export type Verb = (typeof VERBS)[number]

/** `POST /v1/actions`. */
export interface ActionRequest {
  readonly verb: Verb
  /** Selectors: `web`, `web.2`, `work*`, `web.*`, `@worker`; none for all. */
  readonly targets: readonly string[]
  /** Of `scale`: selector of processes to a count, `+1` or `-1`. */
  readonly counts?: Readonly<Record<string, string>> | undefined
  /** Kill at once instead of waiting. */
  readonly force?: boolean | undefined
}

/**
 * The answer to an action is a stream of lines: that it was begun, events as they happen, then one result; an `ApiError` instead, where it
 * turns out late that it cannot be done. Who leaves before the result leaves the action running.
 */
export type ActionLine = { readonly begun: true } | { readonly event: ProcessEvent } | { readonly result: ActionResult }

export interface ActionResult {
  readonly exitCode: number
  /** A line for each process that was concerned. */
  readonly changes: readonly ActionChange[]
}

export interface ActionChange {
  readonly process: string
  /**
   * `started`, `adopted` (it ran already, and was taken over), `scheduled`, `restarted`, `reloaded`, `scaled`, `stopped`,
   * `removed`, `unchanged`; or `refused` and `failed`.
   */
  readonly did: string
  /** One sentence: why, or how many. */
  readonly message: string
  readonly details?: string | undefined
}

/** `GET /v1/processes/INSTANCE/why`. */
export interface Why {
  readonly status: InstanceStatus
  readonly wanted: 'running' | 'stopped'
  readonly attempt: { readonly number: number; readonly limit: number } | null
  readonly recentExits: readonly LastExit[]
  readonly lastLines: readonly string[]
  /** The next thing to type. */
  readonly hint: string | null
}

/** Every answer that is not 2xx. */
export interface ApiError {
  readonly error: string
  readonly exitCode: number
  readonly hint?: string | undefined
}
