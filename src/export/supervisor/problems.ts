import type { Problem } from '../../core/errors.ts'
import { canBeWrapped, completes } from '../shell.ts'
import { type ExportedProcess, type ExportInput, loss, refusal } from '../target.ts'
import { fitsValue, hasBreak } from './quote.ts'

/** Without a socket that they share, a second one would find the address taken. */
export const instancesOf = ({ listen, instances, schedule }: ExportedProcess): number =>
  listen.length > 0 || schedule !== null ? 1 : instances

/** What Supervisor has no word for, and what its file cannot hold. */
export const findProblems = (input: ExportInput): readonly Problem[] =>
  input.processes.flatMap((exported) => [...refused(exported, input), ...lost(exported, input)])

const BREAKS = 'Supervisor drops the edges of lines and knows one kind of line break, so its file cannot hold this one.'

function refused(exported: ExportedProcess, input: ExportInput): readonly Problem[] {
  const { name, argv, env, cwd, group } = exported
  const user = exported.user ?? input.user ?? ''
  return [
    ...(/^[\w.-]+$/.test(name)
      ? []
      : [refusal(exported, '', 'A program of Supervisor has a name of letters, digits, "-", "_" and ".".')]),
    ...(argv.some(hasBreak) ? [refusal(exported, '["ARGS"]', BREAKS)] : []),
    ...(canBeWrapped(argv) ? [] : [refusal(exported, '["APP"]', 'The path of a program with "=" cannot follow env.')]),
    ...Object.entries(env)
      .filter(([variable, text]) => !/^[a-z_]\w*$/i.test(variable) || hasBreak(text ?? ''))
      .map(([variable]) => refusal(exported, `["ENV"][${JSON.stringify(variable)}]`, BREAKS)),
    ...[cwd, user, group ?? ''].filter((text) => !fitsValue(text)).map(() => refusal(exported, '["CWD"]', BREAKS)),
  ]
}

function lost(exported: ExportedProcess, input: ExportInput): readonly Problem[] {
  const { alive, ready, restart, dependsOn, limits, from, memoryLimitBytes, run, reload, log, group } = exported
  const ends = completes(exported)
  const asks = ready.delayMs === undefined || ready.log !== undefined
  const found: readonly (readonly [is: boolean, key: keyof ExportedProcess['from'], message: string])[] = [
    [alive !== null, 'alive', 'Supervisor asks no program whether it works: it starts what has ended again.'],
    [!!from.ready && (asks || ends), 'ready', 'Supervisor asks nobody: a program counts as running after a second.'],
    [
      !!from.restart && !ends && restart.policy !== 'never',
      'restart',
      `Supervisor waits one second longer after each failed start, and gives up after ${restart.limit} in a row. An end within the first second is one, even with exit code 0.`,
    ],
    [!!from.restart && ends, 'restart', 'What ends by itself is not started again.'],
    [instancesOf(exported) < exported.instances, 'instances', 'Its instances cannot share an address: one runs.'],
    [
      Object.keys(dependsOn).length > 0,
      'dependsOn',
      'Supervisor starts programs in this order, and waits for none of them.',
    ],
    [Object.keys(limits).length > 0, 'limits', 'Supervisor sets no limits: those of supervisord itself hold.'],
    [memoryLimitBytes !== null, 'memoryLimit', 'Supervisor does not look at memory: nothing is replaced.'],
    [run === 'release', 'run', 'Supervisor knows no releases: it runs whenever supervisord starts.'],
    [
      exported.schedule !== null,
      'schedule',
      `Supervisor has no schedules. Let cron start it: supervisorctl start ${input.name}:${input.name}-${exported.name}`,
    ],
    [
      !!from.reload && reload !== 'restart',
      'reload',
      reload === 'signal'
        ? `It is up to you to send it: supervisorctl signal HUP ${input.name}:${input.name}-${exported.name}`
        : 'A restart stops the old one first, and its address is closed meanwhile.',
    ],
    [exported.user !== null, 'user', 'HOME, USER and LOGNAME stay those of supervisord, unless ENV has them.'],
    [group !== null, 'group', 'Supervisor takes the groups of the user.'],
    [!!from.log, 'log', `Supervisor keeps ${log.keep} files of this size, and compresses none.`],
  ]
  return found.filter(([is]) => is).map(([, key, message]) => loss(exported, key, message))
}
