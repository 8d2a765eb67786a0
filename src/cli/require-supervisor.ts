import { requireSupervisor, type SupervisorClient } from '../control/client.ts'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { bootId, isSameProcess } from '../supervisor/procfs/process-table.ts'
import { readState, type SavedLife } from '../supervisor/state/state-file.ts'

/** Instances that still run after their supervisor was killed. */
export const leftRunning = (stateDir: string): readonly SavedLife[] =>
  readState(stateDir, bootId()).lives.filter(({ pid, startTicks }) => isSameProcess(pid, startTicks))

/** `web.1 (pid 12), worker.1 (pid 14)`. */
export const nameLives = (lives: readonly SavedLife[]): string =>
  lives.map(({ instance, pid }) => `${instance} (pid ${pid})`).join(', ')

/** @throws {ProdserverError} `E601` when no supervisor runs. The error names instances that run without one. */
export function requireRunning(client: SupervisorClient | undefined, stateDir: string): SupervisorClient {
  const left = client ? [] : leftRunning(stateDir)
  if (left.length === 0) return requireSupervisor(client, stateDir)
  const message = `The supervisor is gone, and what it started goes on without it: ${nameLives(left)}.`
  const hint = 'Go on with it: prodserver up -d. Stop it: prodserver down'
  throw new ProdserverError([{ id: 'E601', place: stateDir, message, hint }], EXIT.notRunning)
}

export function alreadyRunning(stateDir: string): ProdserverError {
  const message = 'Another `prodserver up` was first, and supervises this project.'
  return new ProdserverError([{ id: 'E604', place: stateDir, message, hint: 'Look: prodserver ps' }], EXIT.refused)
}
