import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'
import { flag, list } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'init',
  usage: '',
  summary: 'Look at the project, and at what starts it today, and propose a declaration',
  options: {
    ...PROJECT_OPTIONS,
    write: flag('Add it to the settings without asking'),
    from: list('FILE', 'Only this Procfile, ecosystem file, Compose file, unit or configuration of Supervisor'),
    ...JSON_OPTION,
    ...COMMON_OPTIONS,
  },
  maxOperands: 0,
  examples: [
    ['prodserver init', 'print it; on a terminal, ask whether to add it'],
    ['prodserver init --write', 'add it to the settings'],
    ['prodserver init --from deploy/shop.service', 'what a unit of systemd starts'],
  ],
})
