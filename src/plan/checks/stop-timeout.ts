import { printDuration, toWholeSeconds } from '../../core/durations.ts'
import { type Check, eachResolved } from './check.ts'

/** A process is not killed while its program still finishes work, for as long as an option lets it. */
export const stopTimeout: Check = {
  when: 'always',
  find: eachResolved(({ declaration, backend }, _facts, { command, planned }) => {
    const grace = backend.stop?.grace
    if (!grace || !command || !planned) return []
    const { stop, from } = planned
    const graceMs = Number(command.values(grace.option).at(-1)) * grace.unitMs
    if (!(graceMs > stop.timeoutMs)) return []
    const key = command.options.find((option) => option.name === grace.option)?.key ?? grace.option
    const message = `It lets work be finished for up to ${printDuration(graceMs)}, and is killed ${printDuration(stop.timeoutMs)} after it was asked to stop.`
    const hint = `Set "STOP": {"timeout": "${printDuration((toWholeSeconds(graceMs) + 5) * 1000)}"}, or lower ${JSON.stringify(key)}`
    return [{ id: 'W403', place: from.stop ?? declaration.placeOf('args', key), message, hint }]
  }),
}
