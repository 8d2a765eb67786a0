import { printGoDuration } from '../../core/durations.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { portName, portsOf } from '../containers/ports.ts'
import { probeIntervalMs } from '../containers/probes.ts'
import type { ExportedProcess } from '../input.ts'
import { block, type HclAttribute, type HclBlock, type HclBody } from './hcl.ts'
import { groupName } from './values.ts'

/** Registers each port of the process as a service. The first port has the checks. */
export function services(exported: ExportedProcess, job: string): readonly HclBlock[] {
  const ports = portsOf(exported)
  return ports.map((port) => {
    const isFirst = port === ports[0]
    const suffix = isFirst ? '' : `-${port}`
    const body: HclBody = [
      ['name', `${job}-${groupName(exported).replaceAll('_', '-')}${suffix}`],
      ['port', portName(port, ports)],
      ['provider', 'nomad'],
    ]
    return block('service', isFirst ? [...body, ...checks(exported)] : body)
  })
}

function checks({ ready, alive, from }: ExportedProcess): readonly HclBlock[] {
  const readiness = block('check', probeCheck(ready, from.ready !== undefined) ?? tcpCheck(ready, false))
  const liveness = alive && probeCheck(alive, true)
  if (!liveness) return [readiness]
  const restart = block('check_restart', [
    ['limit', alive.failures],
    ['grace', printGoDuration(alive.startMs)],
  ])
  return [readiness, block('check', [['name', 'alive'], ...liveness, restart])]
}

/**
 * Returns the check that runs the probe; undefined if Nomad cannot run it. Only a declared path is requested: the server
 * may well answer 404 to any other.
 */
export function probeCheck(probe: PlannedProbe, isDeclared: boolean): HclBody | undefined {
  if (isDeclared && probe.http?.startsWith('/'))
    return [
      ['type', 'http'],
      ['path', probe.http],
      ...times(probe, isDeclared),
      block('header', [['Host', ['localhost']]]),
    ]
  const isPort = probe.tcp !== undefined && /^\d+$/.test(probe.tcp)
  return isPort ? tcpCheck(probe, isDeclared) : undefined
}

const tcpCheck = (probe: PlannedProbe, isDeclared: boolean): HclBody => [['type', 'tcp'], ...times(probe, isDeclared)]

const times = (probe: PlannedProbe, isDeclared: boolean): readonly HclAttribute[] => [
  ['interval', printGoDuration(probeIntervalMs(probe, isDeclared))],
  ['timeout', printGoDuration(probe.timeoutMs)],
]
