import { COMMANDS } from '../../src/cli/commands/index.ts'
import { EXIT } from '../../src/core/errors.ts'

type Codes = Partial<Record<keyof typeof EXIT, string>>

/** Of every command. */
const COMMON: Codes = {
  failed: 'the project or its settings cannot be read',
  usage: 'wrong usage',
  bug: 'a bug in prodserver',
}

/** Of every command that asks a supervisor to do something. */
const ACTION: Codes = {
  notRunning: 'nothing is running',
  timedOut: 'not done within `--timeout`; it goes on',
  notPermitted: 'the supervisor belongs to another user',
  interrupted: 'interrupted; it goes on',
}

const CODES: Readonly<Record<string, Codes>> = {
  init: { done: 'proposed or written; nothing to do', failed: 'the settings cannot be read or written' },
  run: {
    refused: 'the declaration of the process has errors',
    notExecutable: 'the program cannot be executed',
    notFound: 'the program was not found',
  },
  list: { done: 'listed', refused: '`PRODUCTION_PROCESSES` cannot be used' },
  backends: { done: 'listed' },
  show: { done: 'shown', refused: 'what is shown has errors' },
  check: { done: 'no errors', refused: 'errors; or warnings, with `--fail-level=WARNING`' },
  diff: {
    done: 'shown',
    refused: 'what is declared has errors; or they differ, with `--exit-code`',
  },
  dev: { refused: 'the settings cannot be used', notFound: 'the program was not found' },
  up: {
    done: 'all is ready (`-d`, or where a supervisor runs already); everything ended as it was asked to',
    failed: 'a process failed',
    refused: 'the declaration has errors; or what is new failed, and what runs was left alone',
    timedOut: ACTION.timedOut ?? '',
    notPermitted: 'the state directory or the supervisor belongs to another user',
    interrupted: ACTION.interrupted ?? '',
  },
  reload: {
    ...ACTION,
    done: 'the new version runs',
    failed: 'a process does not run now',
    refused: 'the declaration has errors; or the new version failed, and the old one goes on',
  },
  start: { ...ACTION, done: 'all are ready', failed: 'one failed, or cannot start because of another' },
  stop: { ...ACTION, done: 'none of them runs', failed: 'something cannot be ended' },
  restart: { ...ACTION, done: 'all are ready', failed: 'one failed, or cannot start because of another' },
  scale: {
    ...ACTION,
    done: 'there are as many as were asked for',
    failed: 'a new one failed',
    refused: 'there may be only one; nothing was changed',
  },
  down: { ...ACTION, done: 'nothing is left; nothing was there', failed: 'something cannot be ended', notRunning: '' },
  ps: {
    done: 'all that should run are ready',
    failed: 'some are not',
    notRunning: 'nothing is running',
    notPermitted: 'the supervisor belongs to another user',
  },
  logs: { done: 'shown', notRunning: 'there are no logs' },
  events: { done: 'shown', notRunning: 'there are no events' },
  why: { done: 'shown', notRunning: 'nothing is running', notPermitted: 'the supervisor belongs to another user' },
  top: {
    done: 'left with `q`',
    notRunning: 'nothing is running',
    notPermitted: 'the supervisor belongs to another user',
    interrupted: 'ended by a signal',
  },
  export: {
    done: 'written or printed; up to date, with `--check`',
    failed: 'with `--check`, files are stale; or they cannot be written',
    refused:
      'the declaration has errors, a value cannot be written for the target, or a file of somebody else is there',
    notFound: 'a program was not found',
  },
  explain: { done: 'printed' },
  deploy: {
    done: 'all of it serves',
    failed: 'a process does not get ready, and there was none before; the cluster cannot be reached',
    refused: 'the declaration has errors; a one-off process failed, or a new version did, and the old one goes on',
    timedOut: 'not done within `--timeout`; the cluster goes on',
    notPermitted: 'the cluster does not permit it',
    interrupted: 'interrupted; the cluster goes on',
  },
  completion: { done: 'printed' },
}

/** What the exit codes of every command mean, by command and in the order of the codes. */
export function exitCodeRows(): readonly (readonly string[])[] {
  return COMMANDS.flatMap(({ name }) => {
    const own = CODES[name]
    if (!own) throw new Error(`The exit codes of ${name} are not documented.`)
    const codes = Object.entries(EXIT).flatMap(([key, code]) => {
      const meaning = own[key as keyof typeof EXIT]
      return meaning ? [[code, meaning] as const] : []
    })
    return [[`\`${name}\``, codes.map(([code, meaning]) => `${code}: ${meaning}`).join('<br>')]]
  })
}

/** The same for all. */
export const commonExitCodes = (): string =>
  Object.entries(COMMON)
    .map(([key, meaning]) => `${EXIT[key as keyof typeof EXIT]} (${meaning})`)
    .join(', ')
