/**
 * Commands about one project on this machine. A group is a file of its own once it is built: a start loads what its
 * command needs, and none of the rest.
 */
export const commands = {
  run: () => import('../commands/run.ts'),
  list: () => import('../commands/list.ts'),
  show: () => import('../commands/show.ts'),
  check: () => import('../commands/check.ts'),
  dev: () => import('../commands/dev.ts'),
}
