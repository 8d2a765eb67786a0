/** Commands that are typed now and then. */
export const commands = {
  init: () => import('../commands/init/execute.ts'),
  backends: () => import('../commands/backends/execute.ts'),
  diff: () => import('../commands/diff/execute.ts'),
  explain: () => import('../commands/explain/execute.ts'),
  export: () => import('../commands/export/execute.ts'),
  deploy: () => import('../commands/deploy/execute.ts'),
  completion: () => import('../commands/completion/execute.ts'),
}
