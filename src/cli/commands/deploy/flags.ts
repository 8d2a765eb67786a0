import { defineCommand } from '../../command.ts'
import { CHANGE_OPTIONS, CLUSTER_OPTIONS, COMMON_OPTIONS, PLAN_OPTIONS } from '../../option-sets.ts'
import { oneOf, userText } from '../../option-values.ts'
import { flag, list, parsed, value, withDefault } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'deploy',
  usage: 'ENGINE [NAME...]',
  summary: 'Bring the declaration into force on a cluster, one-off processes first, and wait until it serves',
  options: {
    ...PLAN_OPTIONS,
    image: value('IMAGE', 'The image that has the project'),
    'env-from': list('NAME', 'A Secret or ConfigMap that has variables'),
    user: parsed('USER', 'The user that runs it, where the declaration names none', userText),
    release: value('ID', 'Names the code, for what runs once a release. Default: the image'),
    'dry-run': flag('Print the objects, one a line, and change nothing'),
    'run-via': withDefault(
      parsed('WAY', 'direct or prodserver, as in export. Default direct', oneOf(['direct', 'prodserver'])),
      'direct',
    ),
    ...CLUSTER_OPTIONS,
    ...CHANGE_OPTIONS,
    ...COMMON_OPTIONS,
  },
  choices: { title: 'Engines', load: engines },
  examples: [
    ['prodserver deploy kubernetes --image registry.example.com/shop:1.4 --env-from shop-secrets', 'and wait'],
    ['prodserver deploy kubernetes --image shop:1.4 --dry-run', 'what the cluster would be told'],
    ['prodserver ps --on kubernetes', 'what runs there'],
  ],
})

async function engines(): Promise<readonly (readonly [name: string, meaning: string])[]> {
  const { ENGINES } = await import('../../../deploy/index.ts')
  return ENGINES.map(({ name, title }) => [name, title])
}
