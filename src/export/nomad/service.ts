import { printGoDuration } from '../../core/durations.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { portName, portsOf } from '../containers/ports.ts'
import { probeIntervalMs } from '../containers/probes.ts'
import type { ExportedProcess } from '../input.ts'
import { block, type HclBlock } from './hcl.ts'
import { groupName } from './task.ts'

/** Registers each port of the process as a service. The first port has the checks. */
export function services(exported: ExportedProcess, job: string): readonly HclBlock[] {
  const name = `${job}-${groupName(exported).replaceAll('_', '-')}`
  return portsOf(exported).map((number, index, ports) => {
    const port = portName(number, ports)
    if (index === 0) return block('service', { name, port, provider: 'nomad' }, checks(exported))
    return block('service', { name: `${name}-${number}`, port, provider: 'nomad' })
  })
}

function checks({ ready, alive, from }: ExportedProcess): readonly HclBlock[] {
  const readiness = probeCheck(ready, from.ready !== undefined) ?? tcpCheck(ready, false)
  const liveness = alive && probeCheck(alive, true)
  if (!liveness) return [readiness]
  const restart = block('check_restart', { limit: alive.failures, grace: printGoDuration(alive.startMs) })
  const attributes = { name: 'alive', ...liveness.attributes }
  return [readiness, { ...liveness, attributes, blocks: [...liveness.blocks, restart] }]
}

/**
 * Returns the check that runs the probe; undefined if Nomad cannot run it. Only a declared path is requested: the server
 * may well answer 404 to any other.
 */
export function probeCheck(probe: PlannedProbe, isDeclared: boolean): HclBlock | undefined {
  if (isDeclared && probe.http?.startsWith('/')) {
    const host = block('header', { Host: ['localhost'] })
    return block('check', { type: 'http', path: probe.http, ...times(probe, isDeclared) }, [host])
  }
  return probe.tcp !== undefined && /^\d+$/.test(probe.tcp) ? tcpCheck(probe, isDeclared) : undefined
}

const tcpCheck = (probe: PlannedProbe, isDeclared: boolean): HclBlock =>
  block('check', { type: 'tcp', ...times(probe, isDeclared) })

const times = (probe: PlannedProbe, isDeclared: boolean) => ({
  interval: printGoDuration(probeIntervalMs(probe, isDeclared)),
  timeout: printGoDuration(probe.timeoutMs),
})
