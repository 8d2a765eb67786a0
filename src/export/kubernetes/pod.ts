import { splitSize } from '../../core/sizes.ts'
import { toSeconds, toWholeSeconds } from '../../core/durations.ts'
import { isAnyHost, parseAddress } from '../../core/addresses.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { canBeAsked, intervalMs, isOneOff, portsOf } from '../containers.ts'
import { IMAGE_UID } from '../dockerfile.ts'
import { type Interpreter, interpreterOf, probeProgram } from '../probe-program.ts'
import type { ExportedProcess, ExportInput } from '../target.ts'
import type { YamlValue } from '../yaml.ts'

export type Fields = { readonly [key: string]: YamlValue }

/** For how long a web server goes on serving after its end was asked for: so long others may still send it requests. */
const DRAIN_S = 5

export interface PodOptions {
  /** Processor time that is set aside for it; what is scaled by its use needs that. */
  readonly cpu?: string | undefined
  /** Whether there are several, which are better not all on one node. Default false. */
  readonly spread?: boolean
}

/** The pod of a process: one container, which may do nothing but what it must. */
export function podSpec(exported: ExportedProcess, input: ExportInput, options: PodOptions = {}): Fields {
  const isService = !isOneOff(exported)
  return {
    // The variables that Kubernetes would set for every Service are not in the plan.
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    restartPolicy: isService ? undefined : 'Never',
    terminationGracePeriodSeconds: drainSeconds(exported) + atLeastOneSecond(exported.stop.timeoutMs),
    securityContext: podSecurity(exported, input),
    topologySpreadConstraints: options.spread ? [spread(exported, input)] : undefined,
    containers: [container(exported, input, options)],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  }
}

function container(exported: ExportedProcess, input: ExportInput, { cpu }: PodOptions): Fields {
  const { argv, cwd, env, memoryLimitBytes, ready, alive, from } = exported
  const [program = '', ...args] = argv
  const interpreter = interpreterOf(input.project)
  const probe = (one: PlannedProbe | null): Fields | undefined =>
    one && canBeAsked(one) && !isOneOff(exported) ? probeHandler(one, exported, interpreter) : undefined
  const [asked, living] = [probe(ready), probe(alive)]
  const given = Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [{ name, value: escape(value) }]))
  const memory = memoryLimitBytes === null ? undefined : quantity(memoryLimitBytes)
  const ports = portsOf(exported)
  return {
    name: 'main',
    image: input.image,
    command: [escape(program)],
    args: args.length > 0 ? args.map(escape) : undefined,
    workingDir: cwd,
    env: given.length > 0 ? given : undefined,
    envFrom: input.envFrom.length > 0 ? input.envFrom.map(envSource) : undefined,
    ports: ports.length > 0 ? ports.map((port) => ({ name: portName(port, ports), containerPort: port })) : undefined,
    startupProbe: asked && startupProbe(asked, ready),
    readinessProbe: asked && { ...asked, ...timing(ready, from.ready !== undefined) },
    livenessProbe: living && alive ? { ...living, ...timing(alive, true) } : undefined,
    lifecycle: lifecycle(exported, interpreter),
    resources:
      memory === undefined && cpu === undefined
        ? undefined
        : { requests: { cpu, memory }, limits: memory === undefined ? undefined : { memory } },
    securityContext: containerSecurity(exported),
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  }
}

/** Kubernetes puts variables of the container in the place of `$(NAME)`: a dollar sign is written twice. */
const escape = (text: string): string => text.replaceAll('$', '$$$$')

/** Converts to whole seconds, at least one, because Kubernetes refuses a period or timeout of zero. */
export const atLeastOneSecond = (ms: number): number => Math.max(1, toWholeSeconds(ms))

/** Prints a size as a quantity of Kubernetes: `512Mi`. */
export function quantity(bytes: number): string {
  const [amount, unit] = splitSize(bytes)
  return unit === 'B' ? String(amount) : `${amount}${unit}i`
}

/** `configmap/NAME` is one; everything else names a Secret. */
const envSource = (from: string): Fields =>
  from.startsWith('configmap/')
    ? { configMapRef: { name: from.slice('configmap/'.length) } }
    : { secretRef: { name: from.replace(/^secret\//, '') } }

export const portName = (port: number, all: readonly number[]): string => (port === all[0] ? 'http' : `port-${port}`)

/** A probe without its times. What listens where its pod alone reaches it is asked from inside. */
function probeHandler(probe: PlannedProbe, { listen }: ExportedProcess, interpreter: Interpreter): Fields | undefined {
  const port = probe.tcp === undefined ? 0 : Number(/^\d+$/.test(probe.tcp) ? probe.tcp : 0)
  const isOpen = listen.map(parseAddress).some((own) => 'port' in own && own.port === port && isAnyHost(own.host))
  if (port > 0 && isOpen) return { tcpSocket: { port } }
  // The kubelet takes any answer from 400 for a failure, and by the Host that it sends, Django answers 400.
  const program = probeProgram(probe, listen, interpreter)
  return program && { exec: { command: program.map(escape) } }
}

/** It may take as long as `up` would wait for it; until then nothing else is asked. */
function startupProbe(handler: Fields, { intervalMs: each, startMs, timeoutMs }: PlannedProbe): Fields {
  const period = Math.max('exec' in handler ? 3 : 1, atLeastOneSecond(each))
  return {
    ...handler,
    periodSeconds: period,
    timeoutSeconds: atLeastOneSecond(timeoutMs),
    failureThreshold: Math.ceil(toSeconds(startMs) / period),
  }
}

const timing = (probe: PlannedProbe, isDeclared: boolean): Fields => ({
  periodSeconds: atLeastOneSecond(intervalMs(probe, isDeclared)),
  timeoutSeconds: atLeastOneSecond(probe.timeoutMs),
  failureThreshold: probe.failures,
})

const drainSeconds = ({ kind }: ExportedProcess): number => (kind === 'web' ? DRAIN_S : 0)

/**
 * What is done before Kubernetes asks for the end with TERM. Another signal is sent from inside, and TERM is held back until
 * the process has ended by that.
 */
function lifecycle(exported: ExportedProcess, interpreter: Interpreter): Fields | undefined {
  const { signal, timeoutMs } = exported.stop
  const drain = drainSeconds(exported)
  if (signal === 'TERM') return drain > 0 ? { preStop: { sleep: { seconds: drain } } } : undefined
  const wait = atLeastOneSecond(timeoutMs)
  const command =
    interpreter === 'python'
      ? [
          'python',
          '-c',
          `import os, signal, time; time.sleep(${drain}); os.kill(1, signal.SIG${signal}); time.sleep(${wait})`,
        ]
      : [
          'node',
          '-e',
          `setTimeout(() => process.kill(1, 'SIG${signal}'), ${drain * 1000}); setTimeout(() => {}, ${(drain + wait) * 1000})`,
        ]
  return { preStop: { exec: { command } } }
}

/** A user by number, as Kubernetes takes them; `root` is known everywhere. */
export const userNumber = (user: string | null | undefined): number | undefined =>
  user === 'root' ? 0 : user && /^\d+$/.test(user) ? Number(user) : undefined

function podSecurity(exported: ExportedProcess, input: ExportInput): Fields {
  const uid = userNumber(exported.user) ?? userNumber(input.user) ?? IMAGE_UID
  const needsLowPort = uid !== 0 && portsOf(exported).some((port) => port < 1024)
  return {
    runAsNonRoot: uid !== 0,
    runAsUser: uid,
    runAsGroup: userNumber(exported.group) ?? (uid === 0 ? 0 : IMAGE_UID),
    seccompProfile: { type: 'RuntimeDefault' },
    sysctls: needsLowPort ? [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] : undefined,
  }
}

function containerSecurity(exported: ExportedProcess): Fields {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: !writesSchedule(exported),
    capabilities: { drop: ['ALL'] },
  }
}

/** Celery's beat writes what it did last into its working directory, unless another file is named. */
const writesSchedule = ({ kind, argv }: ExportedProcess): boolean =>
  kind === 'scheduler' &&
  argv.includes('celery') &&
  !argv.some((word) => /^(-s|-S|--schedule|--scheduler)\b/.test(word))

const spread = (exported: ExportedProcess, input: ExportInput): Fields => ({
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: selector(exported, input) },
})

/** By what the pods of a process are found. It cannot be changed once they are there. */
export const selector = ({ name }: Pick<ExportedProcess, 'name'>, input: ExportInput): Record<string, string> => ({
  'app.kubernetes.io/name': labelValue(name),
  'app.kubernetes.io/part-of': labelValue(input.name),
})

/** The text as a label can have it. */
export const labelValue = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 63)
