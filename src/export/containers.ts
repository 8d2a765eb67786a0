import { isLoopbackHost, parseAddress, portOf } from '../core/addresses.ts'
import type { Problem } from '../core/errors.ts'
import type { PlannedProbe } from '../plan/plan.ts'
import { type ExportedProcess, type ExportInput, loss, placeOf } from './target.ts'

/** What Compose, Kubernetes and Nomad have in common: everything runs in containers of one image. */

/** Whether it ends by itself: what runs once, once for a release, or at certain times. */
export const isOneOff = ({ run, schedule }: Pick<ExportedProcess, 'run' | 'schedule'>): boolean =>
  run !== 'always' || schedule !== null

/** Ports that others can reach it at. */
export const portsOf = ({ listen }: Pick<ExportedProcess, 'listen'>): readonly number[] => [
  ...new Set(listen.flatMap((address) => (isReachable(address) ? [portOf(address)] : []))),
]

function isReachable(text: string): boolean {
  const address = parseAddress(text)
  return 'port' in address && !isLoopbackHost(address.host) && address.port > 0
}

/** A web server that only its own container can reach serves nobody. */
export function checkReachable(exported: ExportedProcess): readonly Problem[] {
  const { name, kind, listen } = exported
  if (kind !== 'web' || listen.length === 0 || portsOf(exported).length > 0) return []
  return [
    {
      id: 'E802',
      place: placeOf(exported, 'args'),
      process: name,
      message: `It listens on ${listen.join(', ')}, which nobody outside of its container can reach.`,
      hint: 'Let it listen on 0.0.0.0 in the container; its engine says who can reach that',
    },
  ]
}

/** Where nothing is built there must be an image. */
export const checkImage = ({ image }: ExportInput): readonly Problem[] =>
  image === undefined
    ? [
        {
          id: 'E802',
          place: '--image',
          message: 'It is not said which image the containers are of.',
          hint: '--image registry.example.com/shop:1.4',
        },
      ]
    : []

/**
 * What it waits for, as `up` does it: what is declared, and whatever runs once for a release, but for what that needs
 * itself. What ends by itself is ready when it has.
 */
export function dependenciesOf(
  exported: ExportedProcess,
  all: readonly ExportedProcess[],
): Readonly<Record<string, 'started' | 'ready' | 'completed'>> {
  const releases =
    exported.run === 'release'
      ? []
      : all.filter((other) => other.run === 'release' && !needs(other, exported.name, all, new Set()))
  const declared = Object.entries(exported.dependsOn).flatMap(([name, condition]) => {
    const other = all.find((one) => one.name === name)
    if (!other || other.schedule !== null) return []
    return [[name, isOneOff(other) && condition === 'ready' ? 'completed' : condition] as const]
  })
  return {
    ...Object.fromEntries(releases.map(({ name }) => [name, 'completed' as const])),
    ...Object.fromEntries(declared),
  }
}

function needs(
  { dependsOn }: ExportedProcess,
  name: string,
  all: readonly ExportedProcess[],
  seen: ReadonlySet<string>,
): boolean {
  return Object.keys(dependsOn).some((next) => {
    const other = all.find((one) => one.name === next)
    if (next === name) return true
    return other !== undefined && !seen.has(next) && needs(other, name, all, new Set([...seen, next]))
  })
}

export interface InImage {
  /** What the containers run. */
  readonly processes: readonly ExportedProcess[]
  /** What collects static files while the image is built; undefined where nothing is declared that does. */
  readonly collect: ExportedProcess | undefined
  readonly problems: readonly Problem[]
}

/** Static files that a container of their own collects are seen by no other: they are a part of the image. */
export function withoutCollecting(all: readonly ExportedProcess[]): InImage {
  const collect = all.find(({ collectsStatic }) => collectsStatic)
  const left = new Set(all.filter(({ collectsStatic }) => collectsStatic).map(({ name }) => name))
  const processes = all
    .filter(({ name }) => !left.has(name))
    .map((exported) => ({
      ...exported,
      dependsOn: Object.fromEntries(Object.entries(exported.dependsOn).filter(([name]) => !left.has(name))),
    }))
  const problems = all
    .filter(({ collectsStatic }) => collectsStatic)
    .map((exported) => ({
      ...loss(
        exported,
        'run',
        'Static files that it collects in a container of its own would be seen by no other: it is left out here, and the Dockerfile that the target compose writes runs it instead.',
      ),
      hint: 'In a Dockerfile of your own: RUN python manage.py collectstatic --noinput',
    }))
  return { processes, collect, problems }
}

/** What a probe asks, where a program or a request can; undefined for those that only `up` can see. */
export const canBeAsked = (probe: PlannedProbe | null): boolean =>
  probe !== null && (probe.http !== undefined || probe.tcp !== undefined || probe.exec !== undefined)

/** The kind of a probe that cannot be asked, as it is declared. */
export const probeKind = ({ log, notify }: PlannedProbe): string =>
  log !== undefined ? 'log' : notify ? 'notify' : 'delay'

/** How often a probe is asked that goes on for as long as the process runs: starting a program each second is too much. */
export const intervalMs = (probe: PlannedProbe, isDeclared: boolean): number =>
  isDeclared && probe.intervalMs !== DEFAULT_INTERVAL_MS ? probe.intervalMs : 10_000

const DEFAULT_INTERVAL_MS = 1000
/** How restarts are timed where the declaration does not say. */
const RESTART = { delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 } as const

/** What of `RESTART` is declared other than it is by itself, as it is written. */
export function restartDetails({ restart }: ExportedProcess): readonly string[] {
  const words = { delayMs: 'delay', maxDelayMs: 'max_delay', limit: 'limit', windowMs: 'window' } as const
  return (Object.keys(words) as (keyof typeof words)[])
    .filter((key) => restart[key] !== RESTART[key])
    .map((key) => words[key])
}
