import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, PLAN_OPTIONS } from '../../option-sets.ts'
import { applicationNameText, oneOf, userText } from '../../option-values.ts'
import { flag, list, parsed, parsedList, value, withDefault } from '../../options.ts'
import { autoscaling } from './autoscale.ts'

export const FLAGS = defineCommand({
  name: 'export',
  usage: 'TARGET [NAME...]',
  summary: 'Write files for another process manager, such as systemd or Kubernetes',
  options: {
    ...PLAN_OPTIONS,
    out: value('FOLDER', 'Write the files there; else they are printed', { short: 'o' }),
    diff: flag('Show what would change there, and write nothing'),
    check: flag('The same, with exit code 1 when files there are stale: for CI'),
    name: parsed('NAME', "What all of it is called; else the project's folder", applicationNameText),
    user: parsed('USER', 'User of each process whose declaration names none', userText),
    image: value('IMAGE', 'Image of the containers'),
    'env-from': list('WHERE', 'Source of secrets: an environment file, or the name of a secret of the cluster'),
    environment: list('NAME', 'Write an overlay for this environment'),
    autoscale: parsedList(
      'NAME=MIN-MAX',
      'Scale by processor use, or by waiting messages: @rabbitmq:VARIABLE, @redis:VARIABLE',
      autoscaling,
    ),
    'run-via': withDefault(
      parsed(
        'WAY',
        'direct: the files have the whole command line. prodserver: they say prodserver run. Default direct',
        oneOf(['direct', 'prodserver']),
      ),
      'direct',
    ),
    ...COMMON_OPTIONS,
  },
  choices: { title: 'Targets', load: targets },
  examples: [
    ['prodserver export systemd --out units --user shop', 'what to type next is printed at the end'],
    ['prodserver export systemd --out units --check', 'exit code 1 when the declaration has changed since'],
    ['prodserver export compose --image registry.example.com/shop:1.4', 'print it'],
    ['prodserver export kubernetes --image shop:1.4 --env-from shop-secrets --out k8s', 'with a Secret of the cluster'],
  ],
})

/** Lists the targets, each with the options that only some targets take. */
async function targets(): Promise<readonly (readonly [name: string, meaning: string])[]> {
  const { TARGETS } = await import('../../../export/index.ts')
  return TARGETS.map(({ name, title, options }) => [
    name,
    `${title}, with ${options.map((option) => `--${option}`).join(', ')}`,
  ])
}
