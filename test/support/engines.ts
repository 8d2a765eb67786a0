import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { hasProgram, PYTHON } from './environment.ts'
import { type Finished, run, type Running, start } from './running.ts'
import { bootSystemd } from './systemd.ts'

/** A program that runs what an export has written. */
export interface Engine {
  readonly name: string
  readonly target: string
  /** Options of the export beside its folder. */
  readonly options: readonly string[]
  /** Whether the real program is here; where it is not, the test says so, and fails in CI. */
  readonly isHere: (t: TestContext) => boolean
  /** Which values the target may refuse. What it does not refuse must arrive. */
  readonly mayRefuse: (value: string) => boolean
  /** Starts all of the export in that folder; what it says of it is for a failing test. */
  readonly start: (t: TestContext, folder: string) => Promise<() => string>
}

export const ENGINES: readonly Engine[] = [
  {
    name: 'systemd',
    target: 'systemd',
    options: ['--name=hard'],
    isHere: canBoot,
    mayRefuse: (value) => /\p{Noncharacter_Code_Point}/u.test(value),
    start: async (t, folder) => {
      const systemd = await bootSystemd(t, folder)
      const { stderr } = await systemd.run('systemctl', 'start', 'hard.target')
      const { stdout } = await systemd.run('systemctl', '--no-pager', '--failed')
      return () => stderr + stdout
    },
  },
  {
    name: 'supervisord',
    target: 'supervisor',
    options: ['--name=hard'],
    isHere: () => true,
    mayRefuse: (value) => /[\n\r]/.test(value),
    start: async (t, folder) => {
      const running = startSupervisord(t, join(folder, 'hard.conf'))
      return running.output
    },
  },
  {
    name: 'honcho',
    target: 'procfile',
    options: [],
    isHere: () => true,
    mayRefuse: (value) => value.length > 40_000,
    start: async (t, folder) => start(t, BESIDE_PYTHON('honcho'), procfileOptions(folder)).output,
  },
  {
    name: 'foreman',
    target: 'procfile',
    options: [],
    isHere: (t) => hasProgram(t, 'foreman', 'apt-get install ruby-foreman'),
    mayRefuse: (value) => value.length > 40_000,
    start: async (t, folder) => start(t, 'foreman', ['start', ...procfileOptions(folder).slice(0, -1)]).output,
  },
]

/** A program of the environment that `npm test` makes. */
const BESIDE_PYTHON = (name: string): string => join(dirname(PYTHON), name)

const procfileOptions = (folder: string): readonly string[] => [
  '-f',
  join(folder, 'Procfile'),
  '-e',
  join(folder, 'Procfile.env'),
  'start',
]

/** supervisord in the foreground, with a file that was exported for one that writes its logs elsewhere. */
export function startSupervisord(t: TestContext, file: string): Running {
  const folder = dirname(file)
  const main = join(folder, 'supervisord.ini')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('/var/log/supervisor/', `${folder}/`))
  writeFileSync(
    main,
    `[supervisord]
nodaemon=true
pidfile=${folder}/supervisord.pid
logfile=/dev/null
logfile_maxbytes=0
[unix_http_server]
file=${folder}/supervisor.sock
[supervisorctl]
serverurl=unix://${folder}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files=${file}
`,
  )
  return start(t, BESIDE_PYTHON('supervisord'), ['-c', main])
}

/** Asks it. */
export const supervisorctl = (t: TestContext, folder: string, ...args: readonly string[]): Promise<Finished> =>
  run(t, BESIDE_PYTHON('supervisorctl'), ['-c', join(folder, 'supervisord.ini'), ...args])

/** systemd itself, and the rights to give it a namespace of its own. */
export function canBoot(t: TestContext): boolean {
  if (process.getuid?.() === 0) return hasProgram(t, '../lib/systemd/systemd', 'apt-get install systemd')
  t.skip('a systemd of its own needs root')
  return false
}
