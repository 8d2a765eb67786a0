import type { Verb } from '../../control/protocol.ts'

/** Commands that are a supervisor, or talk to one. */
export const commands = {
  up: () => import('../commands/up.ts'),
  reload: () => import('../commands/reload.ts'),
  ps: () => import('../commands/ps.ts'),
  logs: () => import('../commands/logs.ts'),
  events: () => import('../commands/events.ts'),
  why: () => import('../commands/why.ts'),
  top: () => import('../commands/top.ts'),
  action: async (verb: Verb) => ({ execute: (await import('../commands/action.ts')).actionCommand(verb) }),
}
