/** Objects of the Kubernetes API, as far as a deployment reads them. https://kubernetes.io/docs/reference/kubernetes-api/ */

/** Any object. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string | undefined
    readonly labels?: Readonly<Record<string, string>> | undefined
    readonly annotations?: Readonly<Record<string, string>> | undefined
    readonly resourceVersion?: string | undefined
    readonly generation?: number | undefined
    readonly creationTimestamp?: string | undefined
    readonly deletionTimestamp?: string | undefined
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[] | undefined
  }
}

export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
    readonly readyReplicas?: number
    readonly conditions?: readonly Condition[]
  }
}

export interface Job extends KubeObject {
  readonly status?: {
    readonly succeeded?: number
    readonly failed?: number
    readonly conditions?: readonly Condition[]
  }
}

export interface CronJob extends KubeObject {
  readonly spec: { readonly schedule: string; readonly suspend?: boolean }
  readonly status?: { readonly lastScheduleTime?: string }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export interface Service extends KubeObject {
  readonly spec: { readonly ports?: readonly { readonly port: number }[] }
}

export interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    readonly startTime?: string
    readonly conditions?: readonly (Condition & { readonly lastTransitionTime?: string })[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export interface ContainerStatus {
  readonly restartCount: number
  readonly ready: boolean
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string }
    readonly running?: { readonly startedAt?: string }
    readonly terminated?: Terminated
  }
  readonly lastState?: { readonly terminated?: Terminated }
}

export interface Terminated {
  readonly exitCode: number
  readonly signal?: number
  readonly reason?: string
  readonly startedAt?: string
  readonly finishedAt?: string
}

export interface PodUsage extends KubeObject {
  readonly containers: readonly { readonly usage: { readonly cpu: string; readonly memory: string } }[]
}
