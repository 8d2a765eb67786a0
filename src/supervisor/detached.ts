import { closeSync, writeSync } from 'node:fs'
import type { ActionLine } from '../control/protocol.ts'
import { ActionError } from './actions.ts'
import type { ExitOn } from './exit-conditions.ts'
import { blankProject, createHost } from './host.ts'
import { ShimBusyError } from './shim/client.ts'
import type { Application } from './spec.ts'

/** What `prodserver up -d` gives the supervisor that it starts as its only argument. */
export interface DetachedOptions {
  readonly stateDir: string
  readonly exitOn: ExitOn
  readonly version: string
  readonly root: string
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

/** What is to run, from the standard input; undefined where it turned out that nothing is. */
async function declared(): Promise<Application | undefined> {
  let text = ''
  for await (const part of process.stdin.setEncoding('utf8')) text += part as string
  return text === '' ? undefined : (JSON.parse(text) as Application)
}

/** Begins before it is known what to run: the shim starts while the settings are being read. */
async function main(): Promise<void> {
  const { stateDir, exitOn, version, root, python } = JSON.parse(process.argv[2] as string) as DetachedOptions
  const shim = { python, env: process.env }
  const project = blankProject(root, python)
  const declaring = declared()
  try {
    const options = { stateDir, version, shim, project, pid: process.pid, exitOn, endWhenIdle: false }
    const host = await createHost(options)
    // The end of a machine comes with more than one signal: a second one does not mean more. For that there is --force.
    let asked = false
    const stop = (): void => {
      if (!asked) host.stop()
      asked = true
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
    const unsubscribe = host.subscribe((event) => tell({ event }))
    const application = await declaring
    if (!application) return await host.abandon()
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
    if (!(error instanceof ShimBusyError)) throw error
    tell({ busy: true })
    process.stdin.destroy()
  }
}

void main()
