/**
 * Commands about one project on this machine. A group is a file of its own once it is built: a start loads what its
 * command needs, and none of the rest.
 */
export const commands = {
  run: () => import('../commands/run/execute.ts'),
  list: () => import('../commands/list/execute.ts'),
  show: () => import('../commands/show/execute.ts'),
  check: () => import('../commands/check/execute.ts'),
  dev: () => import('../commands/dev/execute.ts'),
}
