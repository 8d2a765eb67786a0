import { compose } from './compose/index.ts'
import { kubernetes } from './kubernetes/index.ts'
import { nomad } from './nomad/index.ts'
import { procfile } from './procfile/index.ts'
import { supervisor } from './supervisor/index.ts'
import { systemd } from './systemd/index.ts'
import type { Target } from './target.ts'

/** Every target, in the order of the reference. */
export const TARGETS: readonly Target[] = [systemd, supervisor, procfile, compose, kubernetes, nomad]

export { filesToWrite, type FileChange } from './changes.ts'
export { foundFiles, imageRoot } from './image-layout.ts'
export { kubernetes } from './kubernetes/index.ts'
export { nomad } from './nomad/index.ts'
export { kubernetesObjects, type KubernetesObject } from './kubernetes/objects.ts'
export { prepareExport, type PrepareRequest } from './prepare.ts'
export type { Autoscale, Exported, ExportInput, Target } from './target.ts'

/** For whoever reads a kubeconfig: the parser is here already. */
export { parse as parseYaml } from 'yaml'
