import type { LogReply } from './messages.ts'

/** Describes what happened to a log; null if nothing is wrong. */
export function describeLogReply(reply: LogReply): string | null {
  switch (reply.type) {
    case 'log-full':
      return `its output cannot be stored: ${reply.message}; it goes on`
    case 'log-error':
      return `its output cannot be stored: ${reply.message}`
    case 'log-lost':
      return `there is room again; ${reply.lines} lines (${reply.bytes} bytes) were not stored`
    case 'rotated':
      return null
    default:
      return reply satisfies never
  }
}
