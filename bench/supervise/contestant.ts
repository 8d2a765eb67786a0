/** What a process manager must tell about itself to be measured. */
import type { Command } from '../measure.ts'

export interface Contestant {
  readonly name: string
  /** Installs it where it is missing, in a folder of its own. Throws `Unavailable`. */
  readonly install: () => Installed
}

export interface Installed {
  readonly version: string
  /** Writes its configuration for a number of children. */
  readonly configure: (job: Job) => Setup
  /** It starts what ended again. */
  readonly restarts: boolean
  /** What one must know of its figures: a sentence. */
  readonly note?: string
  /** How much it is given to log, where the usual amount would take it minutes. */
  readonly logLines?: number
  /** Writes its configuration for a web server; where it has a way to reload one. */
  readonly configureWeb?: (job: WebJob) => WebSetup
}

export interface Job {
  /** Its own, made for this run. */
  readonly folder: string
  /** Environment for every command of it. */
  readonly env: Readonly<Record<string, string>>
  /** The program of the child, and its arguments; no word needs quotes. */
  readonly argv: readonly string[]
  readonly count: number
  /** Children that end are to be started again, at once. */
  readonly restart?: boolean
}

export interface Setup {
  /** The manager in the foreground; where it has no foreground, the command that makes it start the children. */
  readonly start: Command
  /** How all is ended: a signal to the command above, or another command. Default: SIGTERM. */
  readonly stop?: NodeJS.Signals | Command
  /** Where everything is that children wrote: all files of a folder whose names match. */
  readonly logs: { readonly folder: string; readonly pattern?: RegExp }
}

export interface WebJob {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly python: string
  /** Django's settings and the WSGI application are in here. */
  readonly project: string
  readonly port: number
}

export interface WebSetup extends Omit<Setup, 'logs'> {
  readonly reload: Command
  /** The command above, in words. */
  readonly how: string
}

/** It cannot be installed here; the message says why. */
export class Unavailable extends Error {}

/** Sizes for all that rotate: four files of what the log contest writes. */
export const ROTATE_BYTES = 50_000_000
export const ROTATE_KEEP = 20
