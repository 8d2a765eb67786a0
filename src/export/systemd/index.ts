import { isUnixAddress, joinHostPort, parseAddress } from '../../core/addresses.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { ExportInput } from '../input.ts'
import type { ExportedFile, Target } from '../target.ts'
import { calendarOf } from './calendar.ts'
import { check } from './check.ts'
import { wholeLine } from './quote.ts'
import { renderService, renderUnit } from './service.ts'
import { SUPPORT } from './support.ts'
import { type Unit, unitOf } from './units.ts'

/**
 * A service for each process, a socket if the server takes one, a timer for each schedule, and a target for all of them.
 * The units use nothing that systemd 252 does not have.
 */
export const systemd: Target = {
  name: 'systemd',
  title: 'systemd',
  runsIn: 'machine',
  envFromExample: '/etc/shop.env',
  options: ['user', 'env-from'],
  support: SUPPORT,
  check,
  render,
  next,
}

function render(input: ExportInput): readonly ExportedFile[] {
  const units = input.processes.map((exported) => unitOf(exported, input))
  const files = units.flatMap((unit) => filesOf(unit, units, input))
  const target = renderUnit({
    Unit: [{ Description: wholeLine(input.name), Wants: units.flatMap(startedBy) }],
    Install: [{ WantedBy: 'multi-user.target' }],
  })
  return [{ path: `${input.name}.target`, text: target }, ...files]
}

/** The folder of units that an administrator has made. */
const SYSTEM = '/etc/systemd/system'

function next(folder: string, { name }: ExportInput): readonly string[] {
  const copy = folder === SYSTEM ? [] : [`sudo cp ${quoteWord(folder)}/* ${SYSTEM}/`]
  return [...copy, 'sudo systemctl daemon-reload', `sudo systemctl enable --now ${name}.target`]
}

function filesOf(unit: Unit, units: readonly Unit[], input: ExportInput): readonly ExportedFile[] {
  const { stem, file, hasSocket, exported } = unit
  const files = [{ path: file, text: renderService(unit, units, input) }]
  if (hasSocket) files.push({ path: `${stem}.socket`, text: renderSocket(unit, input) })
  if (exported.schedule !== null) files.push({ path: `${stem}.timer`, text: renderTimer(unit, input) })
  return files
}

/** The units that start with the target. A timer starts its service, so the target does not. */
function startedBy({ stem, services, hasSocket, exported }: Unit): readonly string[] {
  const started = exported.schedule === null ? services : [`${stem}.timer`]
  return hasSocket ? [`${stem}.socket`, ...started] : started
}

function renderSocket({ stem, services, exported, user }: Unit, { name }: ExportInput): string {
  const isUnix = exported.listen.some(isUnixAddress)
  return renderUnit({
    Unit: [
      {
        Description: wholeLine(`${name} ${exported.name}: sockets`),
        // The socket stops with the target and does not restart with it: connections wait in it meanwhile.
        StopPropagatedFrom: `${name}.target`,
      },
    ],
    Socket: [
      {
        ListenStream: exported.listen.map(streamOf),
        SocketUser: isUnix && user !== undefined ? wholeLine(user) : undefined,
        RemoveOnStop: isUnix ? 'yes' : undefined,
        NoDelay: 'yes',
        Service: services[0] ?? `${stem}.service`,
      },
    ],
  })
}

/** Returns the value of `ListenStream=`. systemd resolves no host names. */
function streamOf(text: string): string {
  const address = parseAddress(text)
  if ('path' in address) return wholeLine(address.path)
  return joinHostPort(/^localhost$/i.test(address.host) ? '127.0.0.1' : address.host, address.port)
}

function renderTimer({ exported: { name, schedule }, stem }: Unit, input: ExportInput): string {
  const unit = { Description: wholeLine(`${input.name} ${name}: ${schedule?.cron}`), PartOf: `${input.name}.target` }
  const timer = {
    OnCalendar: schedule && calendarOf(schedule),
    AccuracySec: '1s',
    // A run that was due while the machine was off starts when the machine is on again.
    Persistent: 'yes',
    Unit: `${stem}.service`,
  }
  return renderUnit({ Unit: [unit], Timer: [timer] })
}
