/** Options of `prodserver export` that some targets take, with their help. Every target takes the others. */
export const EXPORT_OPTIONS = [
  { name: 'user', value: 'USER', summary: 'User of each process whose declaration names none' },
  { name: 'image', value: 'IMAGE', summary: 'Image of the containers' },
  {
    name: 'env-from',
    value: 'WHERE',
    repeatable: true,
    summary: 'Source of secrets: an environment file, or the name of a secret of the cluster',
  },
  { name: 'environment', value: 'NAME', repeatable: true, summary: 'Write an overlay for this environment' },
  {
    name: 'autoscale',
    value: 'NAME=MIN-MAX',
    repeatable: true,
    summary: 'Scale by processor use, or by waiting messages: @rabbitmq:VARIABLE, @redis:VARIABLE',
  },
] as const

export type ExportOption = (typeof EXPORT_OPTIONS)[number]['name']
