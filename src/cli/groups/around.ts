/** Commands that are typed now and then. */
export const commands = {
  init: () => import('../commands/init.ts'),
  backends: () => import('../commands/backends.ts'),
  diff: () => import('../commands/diff.ts'),
  explain: () => import('../commands/explain.ts'),
  export: () => import('../commands/export.ts'),
  deploy: () => import('../commands/deploy.ts'),
  completion: () => import('../commands/completion.ts'),
}
