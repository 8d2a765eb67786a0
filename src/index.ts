/**
 * For modules and packages that bring a backend of their own:
 *
 * ```ts
 * import type { Backend } from 'prodserver'
 *
 * export default {
 *   name: 'caddy',
 *   title: 'Caddy',
 *   summary: 'Static files and TLS.',
 *   kind: 'web',
 *   command: ({ options, extra }) => ({ program: 'caddy', args: ['run', ...options.flatMap(({ tokens }) => tokens), ...extra] }),
 * } satisfies Backend
 * ```
 */
export { BACKEND_CONTRACT } from './backends/backend.ts'
export { allTokens, isGiven, pythonModule, withoutOptions } from './backends/command-line.ts'
export { inheritInNode } from './backends/inherit.ts'
export { hostAndPort } from './backends/option-values.ts'
export { joinHostPort as address } from './core/addresses.ts'
export { defineConfig } from './config/define-config.ts'
export { EXIT, PROBLEMS } from './core/errors.ts'

export type { OptionGrammar } from './args/grammar.ts'
export type {
  Backend,
  Command,
  CommandInput,
  Inherited,
  InheritedSockets,
  ListenInput,
  Workers,
  WorkersInput,
  OptionTokens,
} from './backends/backend.ts'
export type { Config, ConfigExport, ProcessDefaults, ProcessInput } from './config/define-config.ts'
export type { Args, BackendArgs, ProcessKeys } from './generated/declared.ts'
export type { ExitCode, Problem, ProblemId } from './core/errors.ts'
export type {
  Plan,
  PlannedProbe,
  PlannedProcess,
  PlannedProject,
  PlannedRestart,
  PlannedVariable,
} from './plan/plan.ts'
export type { ProcessKind } from './core/types.ts'
