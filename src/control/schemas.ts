import {
  describe,
  dictionary,
  flag,
  integer,
  list,
  named,
  nothing,
  number,
  object,
  oneOf,
  optional,
  type Schema,
  orNull,
  text,
  time,
  word,
  yes,
} from '../core/json-schema.ts'
import { EVENT_TYPES, INSTANCE_STATES, VERBS } from './vocabulary.ts'

/**
 * The objects of the control API and of `ps --json`. The types of `protocol.ts`, the OpenAPI document and the reference
 * page come from here.
 *
 * Every time is RFC 3339 in UTC, every duration in milliseconds, every size in bytes.
 */

const DESIRED = word(['running', 'stopped'])

const exit = {
  code: orNull(integer),
  signal: orNull(text),
}

const Exit = describe(
  'The end of a program. Both members are null if the supervisor could not see it, because the shim was killed.',
  object(exit),
)

const LastExit = describe(
  'The end of an invocation.',
  object({
    ...exit,
    at: time,
    words: describe('A few words: `exit 1`, `killed by SIGKILL`, `gunicorn could not load the application`.', text),
    ranMs: number,
  }),
)

const Usage = describe(
  'The resources of an instance with its whole process tree.',
  object({
    cpuPercent: describe('Percent of one processor, since the last question or since the start.', number),
    memoryBytes: describe('Proportional set size if the system reports it: shared memory counts once.', integer),
    processes: integer,
  }),
)

const InstanceState = describe('State of an instance.', word(INSTANCE_STATES))

const Beside = object({
  pid: orNull(integer),
  invocation: integer,
  state: named('InstanceState', InstanceState),
})

const instance = {
  instance: describe('`web.1`.', text),
  process: text,
  state: named('InstanceState', InstanceState),
  pid: orNull(integer),
  invocation: describe('Number of the latest invocation: 1 is the first start of the instance.', integer),
  since: describe('Time of the last change of state.', time),
  startedAt: orNull(time),
  readyAt: orNull(time),
  restarts: describe('Restarts that no command asked for.', integer),
  lastExit: orNull(named('LastExit', LastExit)),
  nextAt: describe('Time of the next start: after the delay in `backoff`, or by the schedule.', orNull(time)),
  waitingFor: describe('Names of the processes that the instance waits for.', list(text)),
  reason: describe('One sentence that explains the state, if the state needs one.', orNull(text)),
  beside: describe(
    'A second invocation: the one that a reload starts, or the replaced one that finishes its work.',
    orNull(Beside),
  ),
  usage: describe('Absent unless the client asks for it.', optional(named('Usage', Usage))),
}

const InstanceStatus = describe('One instance of a process.', object(instance))

const owner = {
  kind: word(['web', 'worker', 'scheduler', 'task']),
  title: describe('The program as people write it: `gunicorn`.', text),
  wanted: describe('The desired state.', DESIRED),
  run: describe('The key `RUN`.', word(['always', 'once', 'release'])),
  listen: list(text),
  schedule: orNull(text),
}

const ProcessStatus = describe(
  'A declared process with its instances.',
  object({
    process: text,
    ...owner,
    reload: describe('How new code gets into the process.', text),
    declaredInstances: describe('Declared number of instances; `scale` may have changed how many there are.', integer),
    instances: list(named('InstanceStatus', InstanceStatus)),
  }),
)

const InstanceRow = describe(
  'A line of `ps --json` while a supervisor runs: an instance, with members of its process.',
  object({ ...instance, ...owner }),
)

const DeclaredRow = describe(
  'A line of `ps --json` while no supervisor runs: a declared process.',
  object({ process: text, instance: nothing, state: nothing }),
)

const LogRow = describe(
  'A line of `logs --json`.',
  object({
    time,
    process: text,
    instance: text,
    invocation: integer,
    line: describe('Bytes that are not UTF-8 are replaced.', text),
  }),
)

const SupervisorStatus = describe(
  'The supervisor itself.',
  object({
    version: text,
    api: describe('Version of this API. It grows when an earlier client would misunderstand an answer.', integer),
    pid: integer,
    shimPid: integer,
    startedAt: time,
    root: describe('Folder of the project.', text),
    settings: describe('Settings module; null if only a config file declares processes.', orNull(text)),
    python: describe('Path of the interpreter; null if only a config file declares processes.', orNull(text)),
    stateDir: text,
    set: describe('Keys that `--set` overrides until the next `up`: `web.ARGS.workers`.', optional(list(text))),
  }),
)

const Snapshot = describe(
  'Everything that the supervisor runs.',
  object({
    supervisor: named('SupervisorStatus', SupervisorStatus),
    processes: list(named('ProcessStatus', ProcessStatus)),
  }),
)

const ProcessEvent = describe(
  'A fact that happened. `events`, the event stream and `events.jsonl` carry the same objects.',
  object({
    id: describe('Grows by one.', integer),
    time,
    type: word(EVENT_TYPES),
    process: orNull(text),
    instance: orNull(text),
    invocation: orNull(integer),
    pid: orNull(integer),
    exit: optional(named('Exit', Exit)),
    ms: describe(
      'A duration: of `ready` since the start, of `exited` the whole invocation, of `backoff` the delay.',
      optional(number),
    ),
    message: describe('One sentence for a person.', text),
    details: describe('Evidence in several lines: the last output, the reply to a probe.', optional(text)),
  }),
)

const ActionRequest = describe(
  'A change that the supervisor should make.',
  object({
    verb: word(VERBS),
    targets: describe('Selectors: `web`, `web.2`, `work*`, `web.*`, `@worker`; none for all.', list(text)),
    counts: describe('For `scale`: a selector of processes, and a count, `+1` or `-1`.', optional(dictionary(text))),
    force: describe('Kill at once instead of waiting.', optional(flag)),
  }),
)

const ActionChange = object({
  process: text,
  did: describe(
    '`started`, `adopted`, `scheduled`, `restarted`, `reloaded`, `scaled`, `stopped`, `removed`, `unchanged`, `refused` or `failed`.',
    text,
  ),
  message: describe('One sentence: why, or how many.', text),
  details: optional(text),
})

const ActionResult = describe(
  'The result of an action.',
  object({
    exitCode: integer,
    changes: describe(
      'One entry for each process that the action concerned.',
      list(named('ActionChange', ActionChange)),
    ),
  }),
)

const ActionLine = describe(
  'A line of the answer to an action: first that the action began, then events, last the result. If the action fails late, the last line is an `ApiError`. The action continues if the client disconnects.',
  oneOf(
    object({ begun: yes }),
    object({ event: named('ProcessEvent', ProcessEvent) }),
    object({ result: named('ActionResult', ActionResult) }),
  ),
)

const Why = describe(
  'Why an instance is in its state.',
  object({
    status: named('InstanceStatus', InstanceStatus),
    wanted: describe('The desired state.', DESIRED),
    attempt: orNull(object({ number: integer, limit: integer })),
    recentExits: list(named('LastExit', LastExit)),
    lastLines: list(text),
    hint: describe('The next command to type.', orNull(text)),
  }),
)

const ApiError = describe(
  'Every answer whose status is not 2xx.',
  object({ error: text, exitCode: integer, hint: optional(text) }),
)

/** The schemas by the name of the type. */
export const SCHEMAS = {
  SupervisorStatus,
  Snapshot,
  ProcessStatus,
  InstanceStatus,
  InstanceState,
  InstanceRow,
  DeclaredRow,
  LogRow,
  Usage,
  Exit,
  LastExit,
  Why,
  ProcessEvent,
  ActionRequest,
  ActionLine,
  ActionResult,
  ActionChange,
  ApiError,
} satisfies Readonly<Record<string, Schema<unknown>>>
