/** Functions that find addresses and worker counts in the values of options. */
import { joinHostPort, printAddress } from '../core/addresses.ts'
import type { ListenInput, Workers } from './backend.ts'

/** Counts the workers: the value of an option, else of an environment variable, else one. */
export const workersOf =
  (option: string, ...variables: readonly string[]) =>
  ({ values, env }: ListenInput): Workers => {
    const given = [...values(option), ...variables.map((variable) => env[variable])].find((value) => Number(value) > 0)
    return { processes: Number(given ?? 1), option }
  }

/** Finds the address in `--host` and `--port`, or the Unix socket that an option names. */
export const hostAndPort =
  (host: string, port: string, socketOption: string) =>
  ({ values }: ListenInput): readonly string[] => {
    const socket = values(socketOption).at(-1)
    if (socket !== undefined) return [printAddress({ path: socket })]
    return [joinHostPort(values('host').at(-1) ?? host, values('port').at(-1) ?? port)]
  }
