/** Options of `prodserver export` that some targets take. Every target takes the others. */
export const EXPORT_OPTIONS = ['user', 'image', 'env-from', 'environment', 'autoscale'] as const

export type ExportOption = (typeof EXPORT_OPTIONS)[number]
