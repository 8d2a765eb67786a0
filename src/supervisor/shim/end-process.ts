import { isSameProcess, readProcess } from '../procfs/process-table.ts'

const POLL_MS = 10
/** Only the kernel delays the end of a killed process. */
const TIMEOUT_MS = 10_000

/** Kills a process. Resolves when it has ended. */
export async function endProcess(pid: number): Promise<void> {
  const startTicks = readProcess(pid)?.startTicks
  if (startTicks === undefined) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended meanwhile.
  }
  const deadlineMs = performance.now() + TIMEOUT_MS
  while (isSameProcess(pid, startTicks) && performance.now() < deadlineMs)
    await new Promise((settle) => setTimeout(settle, POLL_MS))
}
