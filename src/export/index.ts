import { compose } from './compose/index.ts'
import { kubernetes } from './kubernetes/index.ts'
import { nomad } from './nomad/index.ts'
import { procfile } from './procfile/index.ts'
import { supervisor } from './supervisor/index.ts'
import { systemd } from './systemd/index.ts'
import type { Target } from './target.ts'

/** Every target, in the order of the reference. A new target is its folder and a line here. */
export const TARGETS: readonly Target[] = [systemd, supervisor, procfile, compose, kubernetes, nomad]

export { filesToWrite, type FileChange } from './changes.ts'
export { foundFiles, imageRoot } from './containers/image-layout.ts'
export { exportPlan, type Exported } from './export-plan.ts'
export type { Autoscale, ExportRequest } from './input.ts'
export { kubernetes } from './kubernetes/index.ts'
export { kubernetesObjects, type KubernetesObject } from './kubernetes/objects.ts'
export { nomad } from './nomad/index.ts'
export { prepareExport, type PrepareRequest } from './prepare.ts'
export type { ExportedFile, Target } from './target.ts'

/** The YAML parser, for the reader of a kubeconfig. */
export { parse as parseYaml } from 'yaml'
