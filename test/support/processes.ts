import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel knows of a process. */

export const commandLineOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)

export const parentOf = (pid: number): number => Number(statOf(pid)[1])

export const groupOf = (pid: number): number => Number(statOf(pid)[2])

export const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** Everything below it. */
export const descendantsOf = (pid: number): readonly number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])

/** Whether it runs; one that has ended and was not collected yet does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** The numbers of its open descriptors, in one line. */
export const descriptorsOf = (pid: number): string => readdirSync(`/proc/${pid}/fd`).join(' ')

/** State, parent, group and so on: what follows the name, which is in brackets and may have spaces. */
const statOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
