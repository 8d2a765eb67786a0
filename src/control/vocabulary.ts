/** The words of the control API. */

/** Grows when an earlier client would misunderstand an answer. */
export const API_VERSION = 2

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

/** Documentation of the states, in the order of the reference page. */
export const STATE_MEANINGS: Readonly<Record<(typeof INSTANCE_STATES)[number], string>> = {
  waiting: 'It is to run, and waits for what it depends on, or for its next time.',
  starting: 'Its program was started and is not ready yet.',
  running: 'Ready: it can do its work.',
  stopping: 'It was asked to stop, and finishes what it does.',
  backoff: 'It ended, and is started again after a delay.',
  failed: 'It ended and is not started again; `why` says for what reason.',
  done: 'It ran to completion.',
  stopped: 'It does not run, and is not to.',
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

/** Documentation of the events, in the order of the reference page. */
export const EVENT_MEANINGS: Readonly<Record<(typeof EVENT_TYPES)[number], string>> = {
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

export const VERBS = ['start', 'stop', 'restart', 'reload', 'scale', 'down'] as const
