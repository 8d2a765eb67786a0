/** Addresses of sockets as text: `host:port`, `[::1]:port` or `unix:/path`. */

export interface TcpAddress {
  /** Without brackets; empty for all interfaces. */
  readonly host: string
  /** 0 when the text has no port. */
  readonly port: number
}

interface UnixAddress {
  readonly path: string
}

export type Address = TcpAddress | UnixAddress

const UNIX = 'unix:'

export const isUnixAddress = (text: string): boolean => text.startsWith(UNIX)

/** Reads an address. `unix:///path` means the same as `unix:/path`. */
export function parseAddress(text: string): Address {
  if (isUnixAddress(text)) return { path: text.slice(UNIX.length).replace(/^\/\//, '') }
  return splitHostPort(text)
}

function splitHostPort(text: string): TcpAddress {
  const at = text.lastIndexOf(':')
  if (at < 0) return { host: text, port: 0 }
  return { host: withoutBrackets(text.slice(0, at)), port: Number(text.slice(at + 1)) || 0 }
}

/** Prints an address in the form that `parseAddress` reads. */
export function printAddress(address: Address): string {
  return 'path' in address ? `${UNIX}${address.path}` : joinHostPort(address.host, address.port)
}

/** Joins a host and a port. An IPv6 host gets brackets. */
export function joinHostPort(host: string, port: string | number): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}

/** Removes the brackets of an IPv6 host, as `URL.hostname` has them. */
export const withoutBrackets = (host: string): string => host.replace(/^\[|\]$/g, '')

/** Returns the port of an address; 0 for a Unix socket. */
export function portOf(text: string): number {
  const address = parseAddress(text)
  return 'path' in address ? 0 : address.port
}

/** Tells whether the system chooses the port when the address is bound. */
export const hasEphemeralPort = (text: string): boolean => !isUnixAddress(text) && portOf(text) === 0

/** Hosts that mean all interfaces, and the loopback address on which a client of this machine reaches each. */
const LOOPBACK_OF: Readonly<Record<string, string>> = {
  '': '127.0.0.1',
  '*': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  // A socket on `::` usually accepts both families, but IPV6_V6ONLY restricts it to this one.
  '::': '::1',
}

export const isAnyHost = (host: string): boolean => host in LOOPBACK_OF

export const isLoopbackHost = (host: string): boolean => /^(localhost|127\.[\d.]+|::1)$/.test(host)

/** Returns the address that a client on this machine connects to. */
export function clientAddress(text: string): Address {
  const address = parseAddress(text)
  return 'path' in address ? address : { ...address, host: LOOPBACK_OF[address.host] ?? address.host }
}

/**
 * Returns the address of a TCP probe. A bare port is on the host of the process's first TCP address, or on the loopback
 * interface if it has none.
 */
export function probedAddress(tcp: string, listen: readonly string[]): string {
  if (!/^\d+$/.test(tcp)) return tcp
  const own = listen.find((address) => !isUnixAddress(address)) ?? ''
  return joinHostPort(splitHostPort(own).host || '127.0.0.1', tcp)
}
