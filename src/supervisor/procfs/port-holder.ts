import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isAnyHost, parseAddress, type TcpAddress } from '../../core/addresses.ts'
import { shortCommand } from './process-table.ts'

/** Who listens on an address that was wanted. */
interface PortHolder {
  /** Of those that this user may look into; null where nobody is found who has the socket. */
  readonly pid: number | null
  /** Its command line. */
  readonly program: string
}

const LISTEN = '0A'
/** Of a Unix socket: it accepts connections. */
const ACCEPTS = 0x10000

/** Who listens on `host:port` or `unix:/path`, as far as the system tells; null where nobody does. */
export function holderOf(text: string, proc = '/proc'): PortHolder | null {
  const address = parseAddress(text)
  const inodes = 'path' in address ? unixInodes(address.path, proc) : tcpInodes(address, proc)
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

function tcpInodes({ host, port }: TcpAddress, proc: string): ReadonlySet<string> {
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

/** A socket on all addresses is in the way of each, and each of one on all: of one family, or of both for `::`. */
function overlaps(host: string, hex: string): boolean {
  if (host === '::') return true
  const isOfAll = /^0+$/.test(hex)
  if (host === 'localhost') return overlaps('127.0.0.1', hex) || overlaps('::1', hex)
  if (isAnyHost(host)) return isOfAll || hex.length === 8 || hex.startsWith(MAPPED)
  if (/^[\d.]+$/.test(host)) return isOfAll || hex === ipv4Hex(host) || hex === MAPPED + ipv4Hex(host)
  if (host.includes(':')) return hex.length === 32 && (isOfAll || hex === ipv6Hex(host))
  // A name may be any of them: only who has all of them is in its way for certain.
  return isOfAll
}

/** How an address of version 4 begins among those of version 6, as the kernel prints it. */
const MAPPED = '0000000000000000FFFF0000'

/** As the kernel prints it: a number in the order of a little-endian processor. */
const ipv4Hex = (host: string): string => inOrder(host.split('.').map((part) => hexByte(Number(part))))

/** Four such numbers. */
function ipv6Hex(host: string): string {
  const [head = '', tail] = host.replace(/%.*/, '').split('::')
  const [first, last] = [groups(head), groups(tail)]
  const between = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  const hex = [...first, ...between, ...last].map((group) => group.padStart(4, '0')).join('')
  return (hex.match(/.{8}/g) ?? []).map((number) => inOrder(number.match(/../g) ?? [])).join('')
}

const groups = (text: string | undefined): readonly string[] => (text ? text.split(':') : [])

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0')

const inOrder = (bytes: readonly string[]): string => bytes.toReversed().join('').toUpperCase()

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
