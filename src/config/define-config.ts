import type { ProcessInput } from './schema.ts'

/** What a config file declares. */
export interface Config {
  /** Processes by their names. Beside Django settings they are added to those of `PRODUCTION_PROCESSES`. */
  readonly processes: Readonly<Record<string, ProcessInput>>
  /** Keys that every process of this file starts from. */
  readonly defaults?: Partial<ProcessInput>
}

/** What a config file may export: a function is called, and what is promised is waited for. */
export type ConfigExport = Config | Promise<Config> | (() => Config | Promise<Config>)

/**
 * Gives an editor what it needs to complete and check a config file; the value is returned as it is.
 *
 * ```ts
 * import { defineConfig } from 'prodserver'
 *
 * export default defineConfig({
 *   processes: {
 *     frontend: { backend: 'node', app: 'frontend/server.js', args: { port: 3000 } },
 *   },
 * })
 * ```
 */
export const defineConfig = (config: ConfigExport): ConfigExport => config
