import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { shortCommand } from './process-table.ts'

/** Who listens on an address that was wanted. */
export interface PortHolder {
  /** Of those that this user may look into; null where nobody is found who has the socket. */
  readonly pid: number | null
  /** Its command line. */
  readonly program: string
}

const LISTEN = '0A'
/** Of a Unix socket: it accepts connections. */
const ACCEPTS = 0x10000

/** Who listens on `host:port` or `unix:/path`, as far as the system tells; null where nobody does. */
export function holderOf(address: string, proc = '/proc'): PortHolder | null {
  const inodes = address.startsWith('unix:') ? unixInodes(address.slice(5), proc) : tcpInodes(address, proc)
  if (inodes.size === 0) return null
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid) || !hasSocket(`${proc}/${pid}/fd`, inodes)) continue
    const words = read(`${proc}/${pid}/cmdline`).split('\0').filter(Boolean)
    return { pid: Number(pid), program: words.join(' ') }
  }
  return { pid: null, program: '' }
}

/** The holder in words: `nginx: master (pid 12) listens there`. */
export function describeHolder({ pid, program }: PortHolder): string {
  if (pid === null) return 'another program, of another user or on another side of a container, listens there'
  return `${shortCommand(program)} (pid ${pid}) listens there`
}

function tcpInodes(address: string, proc: string): ReadonlySet<string> {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1')
  const port = Number(address.slice(at + 1))
  const found = new Set<string>()
  for (const table of ['tcp', 'tcp6']) {
    for (const line of lines(`${proc}/net/${table}`)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      const [hex = '', hexPort = ''] = local.split(':')
      if (state === LISTEN && Number.parseInt(hexPort, 16) === port && overlaps(host, hex)) found.add(inode)
    }
  }
  return found
}

/** A socket on all addresses is in the way of each, and each of one on all. What is a name may be any. */
function overlaps(host: string, hex: string): boolean {
  if (/^0+$/.test(hex) || !/^[\d.]+$/.test(host) || host === '0.0.0.0') return true
  return hex.length === 8 ? hex === ipv4Hex(host) : hex.endsWith(ipv4Hex(host))
}

/** As the kernel prints it: a number in the order of a little-endian processor. */
const ipv4Hex = (host: string): string =>
  host
    .split('.')
    .toReversed()
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()

function unixInodes(path: string, proc: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const line of lines(`${proc}/net/unix`)) {
    const [, , , flags = '', , , inode = '', ...rest] = line.split(/\s+/)
    if (rest.join(' ') === path && (Number.parseInt(flags, 16) & ACCEPTS) !== 0) found.add(inode)
  }
  return found
}

function hasSocket(folder: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(folder).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${fd}`))?.[1]
      return inode !== undefined && inodes.has(inode)
    })
  } catch {
    // Somebody else's, or it ended meanwhile.
    return false
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const lines = (path: string): readonly string[] => read(path).split('\n').slice(1)

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
