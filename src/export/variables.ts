import type { ExportedProcess } from './input.ts'

type Environment = Pick<ExportedProcess, 'env'>

/** Returns the variables that a process sets. */
export const setVariables = ({ env }: Environment): readonly (readonly [name: string, value: string])[] =>
  Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))

/** Returns the names of the variables that a process removes. */
export const removedVariables = ({ env }: Environment): readonly string[] =>
  Object.keys(env).filter((name) => env[name] === null)
