import type { Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { type Address, printAddress } from '../../core/addresses.ts'
import { socketPath } from '../../control/state-dir.ts'

/** Connects, also to a Unix socket whose path is longer than the system takes. */
export function connectTo(endpoint: Address): Socket {
  const { connect } = process.getBuiltinModule('node:net')
  if (!('path' in endpoint)) return connect(endpoint)
  const target = socketPath(dirname(endpoint.path), basename(endpoint.path))
  const socket = connect(target.path)
  socket.once('connect', target.close).once('error', target.close)
  return socket
}

/** Describes an endpoint in a probe's reply. */
export const describeEndpoint = (endpoint: Address): string =>
  'path' in endpoint ? endpoint.path : printAddress(endpoint)

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOENT: 'the socket does not exist',
  ENOTSOCK: 'that is not a socket',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  EADDRNOTAVAIL: 'this machine has no such address',
  ETIMEDOUT: 'no answer',
  EMFILE: 'prodserver has too many files open',
  EAGAIN: 'its queue of connections is full',
}

/** What went wrong with a connection, in words. */
export function failureWords(error: unknown): string {
  const { code = '', message, errors } = error as NodeJS.ErrnoException & { errors?: readonly unknown[] }
  // Several addresses of one name were tried.
  if (errors?.[0] !== undefined) return failureWords(errors[0])
  return WORDS[code] ?? (message || code || 'it failed')
}
