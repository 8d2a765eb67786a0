import type { Verb } from '../../control/protocol.ts'

/** Commands that are a supervisor, or talk to one. */
export const commands = {
  up: () => import('../commands/up/execute.ts'),
  reload: () => import('../commands/reload/execute.ts'),
  ps: () => import('../commands/ps/execute.ts'),
  logs: () => import('../commands/logs/execute.ts'),
  events: () => import('../commands/events/execute.ts'),
  why: () => import('../commands/why/execute.ts'),
  top: () => import('../commands/top/execute.ts'),
  action: async (verb: Verb) => ({ execute: (await import('../change-processes.ts')).actionCommand(verb) }),
}
