import type { Args, BackendArgs, ProcessKeys } from '../generated/declared.ts'

/** An import path, a module or a package, of which the options are not known here. */
type OwnBackend =
  | `${string}.${string}`
  | `${string}/${string}`
  | `prodserver-backend-${string}`
  | `@${string}/${string}`

type WithBackend<Backend, Options> = ProcessKeys & {
  /**
   * What runs: the short name of a backend, its import path, a Python class of your own, a TypeScript or JavaScript
   * module, or a package.
   */
  readonly backend: Backend
  /** Options of the server. */
  readonly args?: Options | null | undefined
}

/** One process as a config file declares it. */
export type ProcessInput =
  | { [Name in keyof BackendArgs]: WithBackend<Name, BackendArgs[Name]> }[keyof BackendArgs]
  | WithBackend<OwnBackend, Args>

/** What a config file declares. */
export interface Config {
  /** Processes by their names. Beside Django settings they are added to those of `PRODUCTION_PROCESSES`. */
  readonly processes: { readonly [name: string]: ProcessInput }
  /** Keys that every process of this file starts from. */
  readonly defaults?: ProcessDefaults | undefined
}

/** Keys that every process starts from. */
export interface ProcessDefaults extends ProcessKeys {
  readonly backend?: string | undefined
  readonly args?: Args | null | undefined
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
