/** Functions for `Backend.inherit`: starts of servers whose sockets are open already. */
import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend, Command, CommandInput } from './backend.ts'
import { isGiven, withoutOptions } from './command-line.ts'

/**
 * Starts a Python server by the runner, which gives it the sockets in place of its address options. Undefined if a
 * refused option is given, or if the command line gives an address.
 */
export const inheritThroughRunner =
  (grammar: OptionGrammar, addressOptions: readonly string[], refused: readonly string[]) =>
  (command: (input: CommandInput) => Command): NonNullable<Backend['inherit']> =>
  (input, { listen, probe }) => {
    const onCommandLine = { ...input, options: [] }
    if (isGiven(refused, input, grammar) || isGiven(addressOptions, onCommandLine, grammar)) return undefined
    return {
      command: command(withoutOptions(addressOptions, input, grammar)),
      env: { PRODSERVER_LISTEN_FDS: listen.join(','), ...probeVariable(probe) },
      runner: true,
      listening: true,
    }
  }

/** Makes the environment variable that names the socket for probes to the runner. */
export const probeVariable = (probe: number | undefined): Readonly<Record<string, string>> =>
  probe === undefined ? {} : { PRODSERVER_PROBE_FD: String(probe) }

/**
 * Starts a program of Node with `serve-node.cjs`, which gives each of its servers the socket of that server's address.
 * Undefined if another program runs, such as npm: the sockets would not reach the Node that it starts.
 */
export const inheritInNode =
  (command: Backend['command']): NonNullable<Backend['inherit']> =>
  (input, { addresses, listen, probe }) => {
    const asked = command(input)
    if (asked.program !== 'node' || probe === undefined) return undefined
    const sockets = { listen: Object.fromEntries(addresses.map((each, index) => [each, listen[index]])), probe }
    return { command: asked, env: { PRODSERVER_NODE_SOCKETS: JSON.stringify(sockets) }, runner: true }
  }
