import { closeSync, readFileSync, writeSync } from 'node:fs'
import type { ActionLine } from '../control/protocol.ts'
import { ActionError } from './actions.ts'
import { createHost, type ExitOn } from './host.ts'
import { KeeperBusyError } from './keeper.ts'
import { keeperProgram } from './programs.ts'
import type { Application } from './spec.ts'

/** What `prodserver up -d` writes to the standard input of the supervisor that it starts. */
export interface DetachedOptions {
  readonly stateDir: string
  readonly application: Application
  readonly exitOn: ExitOn
  readonly version: string
  readonly python: string
}

/** Where who started us reads. */
const ANSWERS = 3

/** Tells who started us, as long as that one listens. */
function tell(line: ActionLine | { readonly busy: true }): void {
  try {
    writeSync(ANSWERS, `${JSON.stringify(line)}\n`)
  } catch {
    // It waited no longer; what it asked for goes on.
  }
}

async function main(): Promise<void> {
  const { stateDir, application, exitOn, version, python } = JSON.parse(readFileSync(0, 'utf8')) as DetachedOptions
  const keeper = { python, program: keeperProgram, env: process.env }
  const { project } = application
  try {
    const options = { stateDir, version, keeper, project, pid: process.pid, exitOn, endWhenIdle: false }
    const host = await createHost(options)
    // The end of a machine comes with more than one signal: a second one does not mean more. For that there is --force.
    let asked = false
    const stop = (): void => {
      if (!asked) host.stop()
      asked = true
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
    const unsubscribe = host.subscribe((event) => tell({ event }))
    tell({ begun: true })
    // Told to stop before all was started, it has nothing to tell but its end.
    const result = await host.apply(application).catch((error: unknown) => {
      if (!asked && !(error instanceof ActionError)) throw error
    })
    if (result) tell({ result })
    unsubscribe()
    closeSync(ANSWERS)
    process.exitCode = await host.ended
  } catch (error) {
    if (!(error instanceof KeeperBusyError)) throw error
    tell({ busy: true })
  }
}

void main()
