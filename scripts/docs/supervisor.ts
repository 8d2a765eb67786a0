import { EVENT_MEANINGS, STATE_MEANINGS, VERBS } from '../../src/control/protocol.ts'
import { type Route, ROUTES } from '../../src/control/routes.ts'
import { renderDiagram } from './diagram.ts'
import { commonExitCodes, exitCodeRows } from './exit-codes.ts'
import { table } from './markdown.ts'
import { renderShapes } from './shapes.ts'

/** Renders the reference page of `up`: states, events, interfaces and files. */
export const renderSupervisor = (): string =>
  [
    INTRODUCTION,
    statesSection(),
    eventsSection(),
    jsonSection(),
    apiSection(),
    stateDirectorySection(),
    exitCodesSection(),
  ]
    .join('\n')
    .replace(/\n+$/, '\n')

const INTRODUCTION = `# The supervisor

\`prodserver up\` runs the declared processes under a supervisor. \`ps\`, \`logs\`, \`events\`, \`why\` and \`top\` look at it;
\`start\`, \`stop\`, \`restart\`, \`reload\`, \`scale\` and \`down\` ask it for something.
`

const statesSection = (): string => `## States

An instance (\`web.1\`) is in one of these.

${meanings(STATE_MEANINGS)}
${renderDiagram()}
A life that is stopping is sent its stop signal, then SIGKILL when its time is over; in the end everything that it
started is ended as well. Nothing starts before that is done: there is never a second copy.
`

const eventsSection = (): string => `## Events

\`prodserver events\`, the stream of the control API and \`events.jsonl\` carry the same objects.

${meanings(EVENT_MEANINGS)}
${renderShapes(['ProcessEvent', 'Exit'])}`

const jsonSection = (): string => `## JSON output

With \`--json\`, one object a line. Times are RFC 3339 in UTC, durations are milliseconds, sizes are bytes.

${table(
  ['command', 'a line'],
  [
    ['`ps`, `top --once`', 'an `InstanceRow`; if no supervisor runs, a `DeclaredRow`'],
    ['`logs`', 'a `LogRow`'],
    ['`events`', 'a `ProcessEvent`'],
    ['`why`', 'a `Why`'],
    [ACTIONS, 'an `ActionLine`: events as they happen, then the result'],
  ],
)}
An \`InstanceRow\` is an \`InstanceStatus\` with \`kind\`, \`title\`, \`wanted\`, \`run\`, \`listen\` and \`schedule\` of its
\`ProcessStatus\`.

${renderShapes(['InstanceState', 'InstanceStatus', 'LastExit', 'Usage', 'ProcessStatus', 'DeclaredRow', 'LogRow', 'Why', 'ActionLine', 'ActionResult', 'ActionChange'])}`

const apiSection = (): string => `## The control API

HTTP over the Unix socket \`control.sock\` of the state directory, which only its owner may use:
\`curl --unix-socket STATE/control.sock http://localhost/v1/processes\`.

${table(
  ['request', 'does', 'body', 'answer'],
  Object.values<Route>(ROUTES).map(({ method, path, summary, query = {}, takes = '', gives, as }) => [
    `\`${method} ${path}\``,
    [`${summary}.`, ...Object.entries(query).map(([name, meaning]) => `\`?${name}=\` ${meaning}.`)].join('<br>'),
    /^[A-Z]/.test(takes) ? `\`${takes}\`` : takes,
    `${gives
      .split(', ')
      .map((name) => `\`${name}\``)
      .join(', ')}<br>${as}`,
  ]),
)}
Every answer that is not 2xx is an \`ApiError\`: 400 for what cannot be understood, 404 and 405 for what is not there, 409
for what cannot be done now.

The [OpenAPI document](control-api.json) has these types, and those of the lines that \`--json\` prints, as JSON Schemas.

${renderShapes(['Snapshot', 'SupervisorStatus', 'ActionRequest', 'ApiError'])}`

const stateDirectorySection = (): string => `## The state directory

\`PRODSERVER_STATE_DIR\`; else \`STATE_DIRECTORY\`, which systemd sets for a unit with \`StateDirectory=\`; else
\`$XDG_STATE_HOME/prodserver/NAME-HASH\`, by default below \`~/.local/state\`, after the real path of the project. For a
user without a home, such as the random user of a container, it is \`/tmp/prodserver-UID-NAME-HASH\`. It is for its owner
alone.

${table(
  ['file', 'what it is'],
  [
    ['`control.sock`', 'the control API'],
    [
      '`shim.sock`, `shim.lock`',
      'how the supervisor finds the process that is the parent of all instances, and that there is one',
    ],
    ['`state.json`', 'what a supervisor leaves for the next one; no secrets'],
    [
      '`events.jsonl`, `events.1.jsonl`',
      'events, one JSON object a line; the second is the file before, at most 5 MiB each',
    ],
    ['`logs/`', 'what the processes print'],
    ['`run/`', 'named pipes and sockets of the instances'],
    ['`supervisor.log`, `shim.log`', 'what the supervisor of `up -d` and the shim have to say of themselves'],
  ],
)}
${logFiles()}`

const logFiles = (): string => `### Logs

${table(
  ['file', 'what it is'],
  [
    [
      '`web.1.log`',
      'the bytes that the instance wrote, standard output and standard error in one; nothing is added to a line',
    ],
    [
      '`web.1.idx`',
      'when they arrived: records of 16 bytes, little endian: time in microseconds since 1970 (u64), offset in the log (u32), run (u32)',
    ],
    ['`web.1.N.log`, `web.1.N.idx`', 'rotated files, at the end of a line; N grows'],
    ['`web.1.N.log.gz`', 'the same, compressed'],
  ],
)}
A record says that what follows its offset arrived at its time, from that life of the instance. Lines that begin with
\`[prodserver]\` are ours: they say how many lines could not be stored.
`

const exitCodesSection = (): string => `## Exit codes by command

Every command: ${commonExitCodes()}.

${table(['command', 'exit codes'], exitCodeRows())}
`

const meanings = (record: Readonly<Record<string, string>>): string =>
  table(
    ['', ''],
    Object.entries(record).map(([name, meaning]) => [`\`${name}\``, meaning]),
  )

const ACTIONS = ['up', ...VERBS].map((name) => `\`${name}\``).join(', ')
