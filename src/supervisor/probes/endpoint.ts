import type { Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { socketPath } from '../../control/state-dir.ts'

/** Where a connection goes, in the form that `node:net` takes. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string }

/** Connects, also to a Unix socket whose path is longer than the system takes. */
export function connectTo(endpoint: Endpoint): Socket {
  const { connect } = process.getBuiltinModule('node:net')
  if (!('path' in endpoint)) return connect(endpoint)
  const target = socketPath(dirname(endpoint.path), basename(endpoint.path))
  const socket = connect(target.path)
  socket.once('connect', target.close).once('error', target.close)
  return socket
}

/** Of `host:port` or `unix:/path`. What listens on all interfaces is asked on the loopback one. */
export function endpointOf(address: string): Endpoint {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length).replace(/^\/\//, '') }
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at)
  return { host: LOOPBACK[host] ?? host.replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}

// `[::]` takes connections of both families, unless it was told not to: then only this one.
const LOOPBACK: Readonly<Record<string, string>> = {
  '0.0.0.0': '127.0.0.1',
  '': '127.0.0.1',
  '*': '127.0.0.1',
  '[::]': '::1',
  '::': '::1',
}

export function endpointWords(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path
  return `${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`
}

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
