import { runsToCompletion } from '../../core/completion.ts'
import { toSeconds } from '../../core/durations.ts'
import { isAnyHost, parseAddress } from '../../core/addresses.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { portName, portsOf } from '../containers/ports.ts'
import { type Interpreter, interpreterOf, probeProgram } from '../probe-program.ts'
import { isRunnable, probeIntervalMs } from '../containers/probes.ts'
import { setVariables } from '../variables.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { YamlValue } from '../yaml.ts'
import { autoscaleOf, hasSeveral } from './autoscale.ts'
import { escape, type Fields, quantity, atLeastOneSecond } from './fields.ts'
import { labelsOf, selector } from './names.ts'
import { containerSecurity, podSecurity } from './security.ts'

/** How long a web server goes on serving before it gets the stop signal: clients may still have its address. */
const DRAIN_S = 5

/** The pod of a process: one container with the fewest rights. */
export function podTemplate(exported: ExportedProcess, input: ExportInput): Fields {
  const isService = !runsToCompletion(exported)
  const spec = {
    // Kubernetes would set variables for every Service, which are not in the plan.
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    restartPolicy: isService ? undefined : 'Never',
    terminationGracePeriodSeconds: drainSeconds(exported) + atLeastOneSecond(exported.stop.timeoutMs),
    securityContext: podSecurity(exported, input),
    topologySpreadConstraints: isService && hasSeveral(exported, input) ? [spread(exported, input)] : undefined,
    containers: [container(exported, input)],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  }
  return { metadata: { labels: labelsOf(exported, input) }, spec }
}

function container(exported: ExportedProcess, input: ExportInput): Fields {
  const [program = '', ...args] = exported.argv
  const interpreter = interpreterOf(input.project)
  return {
    name: 'main',
    image: input.image,
    command: [escape(program)],
    args: unlessEmpty(args.map(escape)),
    workingDir: exported.cwd,
    env: unlessEmpty(setVariables(exported).map(([name, value]) => ({ name, value: escape(value) }))),
    envFrom: unlessEmpty(input.envFrom.map(envSource)),
    ports: unlessEmpty(portsOf(exported).map((port, _, all) => ({ name: portName(port, all), containerPort: port }))),
    ...probes(exported, interpreter),
    lifecycle: lifecycle(exported, interpreter),
    resources: resources(exported, input),
    securityContext: containerSecurity(exported),
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  }
}

const unlessEmpty = (values: readonly YamlValue[]): YamlValue => (values.length > 0 ? values : undefined)

/** `configmap/NAME` names a ConfigMap; everything else names a Secret. */
const envSource = (from: string): Fields =>
  from.startsWith('configmap/')
    ? { configMapRef: { name: from.slice('configmap/'.length) } }
    : { secretRef: { name: from.replace(/^secret\//, '') } }

function probes(exported: ExportedProcess, interpreter: Interpreter): Fields {
  const { ready, alive, from } = exported
  const readiness = probeHandler(ready, exported, interpreter)
  const liveness = probeHandler(alive, exported, interpreter)
  return {
    startupProbe: readiness && startupProbe(readiness, ready),
    readinessProbe: readiness && { ...readiness, ...timing(ready, from.ready !== undefined) },
    livenessProbe: liveness && alive ? { ...liveness, ...timing(alive, true) } : undefined,
  }
}

/** Returns a probe without its times. A server that listens only inside its pod is probed from inside. */
function probeHandler(
  probe: PlannedProbe | null,
  exported: ExportedProcess,
  interpreter: Interpreter,
): Fields | undefined {
  if (probe === null || !isRunnable(probe) || runsToCompletion(exported)) return undefined
  const { listen } = exported
  const port = probe.tcp !== undefined && /^\d+$/.test(probe.tcp) ? Number(probe.tcp) : 0
  const isOpen = listen.map(parseAddress).some((own) => 'port' in own && own.port === port && isAnyHost(own.host))
  if (port > 0 && isOpen) return { tcpSocket: { port } }
  // A program asks over HTTP: the kubelet counts 400 as a failure, which is Django's answer to the Host that it sends.
  const program = probeProgram(probe, listen, interpreter)
  return program && { exec: { command: program.map(escape) } }
}

/** The start may take as long as under `up`. Until then Kubernetes runs no other probe. */
function startupProbe(handler: Fields, { intervalMs, startMs, timeoutMs }: PlannedProbe): Fields {
  const periodSeconds = Math.max('exec' in handler ? 3 : 1, atLeastOneSecond(intervalMs))
  return {
    ...handler,
    periodSeconds,
    timeoutSeconds: atLeastOneSecond(timeoutMs),
    failureThreshold: Math.ceil(toSeconds(startMs) / periodSeconds),
  }
}

const timing = (probe: PlannedProbe, isDeclared: boolean): Fields => ({
  periodSeconds: atLeastOneSecond(probeIntervalMs(probe, isDeclared)),
  timeoutSeconds: atLeastOneSecond(probe.timeoutMs),
  failureThreshold: probe.failures,
})

const drainSeconds = ({ kind }: ExportedProcess): number => (kind === 'web' ? DRAIN_S : 0)

/**
 * Kubernetes always stops a container with TERM. For another signal, a hook sends that signal from inside, and returns only
 * after the stop timeout, so that TERM comes too late to matter.
 */
function lifecycle(exported: ExportedProcess, interpreter: Interpreter): Fields | undefined {
  const { signal, timeoutMs } = exported.stop
  const drain = drainSeconds(exported)
  const command = signalProgram(signal, drain, atLeastOneSecond(timeoutMs), interpreter)
  if (signal !== 'TERM') return { preStop: { exec: { command } } }
  return drain > 0 ? { preStop: { sleep: { seconds: drain } } } : undefined
}

function signalProgram(signal: string, drain: number, wait: number, interpreter: Interpreter): readonly string[] {
  if (interpreter === 'python') {
    const code = `import os, signal, time; time.sleep(${drain}); os.kill(1, signal.SIG${signal}); time.sleep(${wait})`
    return ['python', '-c', code]
  }
  const send = `setTimeout(() => process.kill(1, 'SIG${signal}'), ${drain * 1000})`
  return ['node', '-e', `${send}; setTimeout(() => {}, ${(drain + wait) * 1000})`]
}

function resources(exported: ExportedProcess, input: ExportInput): Fields | undefined {
  const scaled = autoscaleOf(exported, input)
  // Kubernetes measures processor use as a share of the reservation.
  const cpu = scaled && !scaled.queue ? '250m' : undefined
  const memory = exported.memoryLimitBytes === null ? undefined : quantity(exported.memoryLimitBytes)
  if (cpu === undefined && memory === undefined) return undefined
  return { requests: { cpu, memory }, limits: memory === undefined ? undefined : { memory } }
}

const spread = (exported: ExportedProcess, input: ExportInput): Fields => ({
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: selector(exported, input) },
})
