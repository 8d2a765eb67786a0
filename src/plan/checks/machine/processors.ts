import type { Problem } from '../../../core/errors.ts'
import { plural } from '../../../core/plural.ts'
import type { MachineFacts } from '../../machine.ts'
import type { Check } from '../check.ts'
import { commonPlace, type Demand, demandsOf, processCount } from './demand.ts'

/** The processors of the machine suffice for the processes. */
export const enoughProcessors: Check<'here'> = {
  when: 'here',
  find: (facts) => {
    const demands = demandsOf(facts)
    const single = demands.flatMap((demand) => tooMany(demand, facts.machine.processors))
    return single.length > 0 ? single : tooManyTogether(demands, facts.machine.processors)
  },
}

type Processors = MachineFacts['processors']

/** With more processes, they wait for each other more than they serve: the rule of thumb in gunicorn's documentation. */
const mostProcesses = ({ usable }: Processors): number => usable * 2 + 1

function describeMachine({ usable, all }: Processors): string {
  const count = plural(usable, 'processor')
  return usable < all ? `only ${count} may be used here` : `this machine has ${count}`
}

function tooMany(demand: Demand, processors: Processors): readonly Problem[] {
  const { planned, workers, workersPlace } = demand
  const { name: process, title, kind, instances, from } = planned
  const most = mostProcesses(processors)
  // The number of a worker's processes is left to its author: its tasks may only wait.
  const isJudged = kind === 'web' || (kind === 'worker' && workersPlace === null && workers.processes > 1)
  if (!isJudged || processCount(demand) <= most) return []
  const times = instances > 1 ? `${instances} × ${workers.processes}` : String(workers.processes)
  const chosen = workersPlace === null && instances === 1 ? ', as many as the machine has processors' : ''
  const message = `${title} starts ${times} processes${chosen}, and ${describeMachine(processors)}: more than ${most} wait for each other more than they work.`
  const each = Math.max(1, Math.floor(most / instances))
  const hint = `Begin with ${JSON.stringify(workers.option ?? 'workers')}: ${each}, and watch: prodserver top`
  return [{ id: 'W501', place: workersPlace ?? from.instances ?? planned.place, process, message, hint }]
}

function tooManyTogether(demands: readonly Demand[], processors: Processors): readonly Problem[] {
  const most = mostProcesses(processors)
  const web = demands.filter(({ planned }) => planned.kind === 'web')
  const all = web.reduce((sum, demand) => sum + processCount(demand), 0)
  if (all <= most) return []
  const named = web.map((demand) => `${demand.planned.name} ${processCount(demand)}`).join(', ')
  const message = `The web servers start ${all} processes (${named}), and ${describeMachine(processors)}: more than ${most} wait for each other more than they work.`
  const hint = `Begin with ${most} in all, and watch: prodserver top`
  return [{ id: 'W501', place: commonPlace(web), message, hint }]
}
