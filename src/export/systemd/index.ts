import { isUnixAddress, joinHostPort, parseAddress } from '../../core/addresses.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { Exported, ExportedFile, ExportInput, Target } from '../target.ts'
import { calendarOf } from './calendar.ts'
import { findProblems } from './problems.ts'
import { wholeLine } from './quote.ts'
import { renderService, renderUnit } from './service.ts'
import { type Unit, unitOf } from './units.ts'

/**
 * A unit for each process, a socket where the server takes one, a timer for each schedule, and a target for all of them.
 * Nothing is used that systemd 252 does not know.
 */
export const systemd: Target = {
  name: 'systemd',
  title: 'systemd',
  runsIn: 'machine',
  envFromExample: '/etc/shop.env',
  options: ['user', 'env-from'],
  render,
}

/** Where systemd looks for units that an administrator has made. */
const SYSTEM = '/etc/systemd/system'

function render(input: ExportInput): Exported {
  const units = input.processes.map((exported) => unitOf(exported, input))
  const files = units.flatMap((unit) => filesOf(unit, units, input))
  return {
    files: [{ path: `${input.name}.target`, text: renderTarget(units, input) }, ...files],
    problems: findProblems(units, input),
    next: (folder) => [
      ...(folder === SYSTEM ? [] : [`sudo cp ${quoteWord(folder)}/* ${SYSTEM}/`]),
      'sudo systemctl daemon-reload',
      `sudo systemctl enable --now ${input.name}.target`,
    ],
  }
}

function filesOf(unit: Unit, units: readonly Unit[], input: ExportInput): readonly ExportedFile[] {
  const { stem, file, hasSocket, exported } = unit
  const files = [{ path: file, text: renderService(unit, units, input) }]
  if (hasSocket) files.push({ path: `${stem}.socket`, text: renderSocket(unit, input) })
  if (exported.schedule !== null) files.push({ path: `${stem}.timer`, text: renderTimer(unit, input) })
  return files
}

function renderTarget(units: readonly Unit[], { name }: ExportInput): string {
  // A timer starts what it is for; to want that as well would start it with everything else.
  const wanted = units.flatMap(({ stem, services, hasSocket, exported }) => [
    ...(hasSocket ? [`${stem}.socket`] : []),
    ...(exported.schedule === null ? services : [`${stem}.timer`]),
  ])
  return renderUnit({
    Unit: [[['Description', wholeLine(name)], ...wanted.map((unit) => ['Wants', unit] as const)]],
    Install: [[['WantedBy', 'multi-user.target']]],
  })
}

function renderSocket({ stem, services, exported, user }: Unit, { name }: ExportInput): string {
  const isUnix = exported.listen.some(isUnixAddress)
  return renderUnit({
    Unit: [
      [
        ['Description', wholeLine(`${name} ${exported.name}: sockets`)],
        // Stopped with the target, but not started anew with it: connections wait here meanwhile.
        ['StopPropagatedFrom', `${name}.target`],
      ],
    ],
    Socket: [
      [
        ...exported.listen.map((address) => ['ListenStream', streamOf(address)] as const),
        ...(isUnix && user !== undefined ? [['SocketUser', wholeLine(user)] as const] : []),
        ...(isUnix ? [['RemoveOnStop', 'yes'] as const] : []),
        ['NoDelay', 'yes'],
        ['Service', services[0] ?? `${stem}.service`],
      ],
    ],
  })
}

/** Returns the value of `ListenStream=`. systemd resolves no host names. */
function streamOf(text: string): string {
  const address = parseAddress(text)
  if ('path' in address) return wholeLine(address.path)
  return joinHostPort(/^localhost$/i.test(address.host) ? '127.0.0.1' : address.host, address.port)
}

function renderTimer({ exported, stem }: Unit, { name }: ExportInput): string {
  const times = (exported.schedule && calendarOf(exported.schedule)) ?? []
  return renderUnit({
    Unit: [
      [
        ['Description', wholeLine(`${name} ${exported.name}: ${exported.schedule?.cron}`)],
        ['PartOf', `${name}.target`],
      ],
    ],
    Timer: [
      [
        ...times.map((time) => ['OnCalendar', time] as const),
        ['AccuracySec', '1s'],
        // One that was due while the machine was off runs once when it is on again.
        ['Persistent', 'yes'],
        ['Unit', `${stem}.service`],
      ],
    ],
  })
}
