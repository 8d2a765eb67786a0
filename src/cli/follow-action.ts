import type { ActionLine, ActionResult, ProcessEvent } from '../control/protocol.ts'
import { EXIT } from '../core/errors.ts'
import { printDuration } from '../core/durations.ts'
import type { CommandContext } from './command.ts'
import type { ChangeOptions } from './option-sets.ts'
import { createProgress } from './output/progress.ts'

/** Starts an action and yields its events. Aborting the signal ends the following, not the action. */
export type Act = (signal: AbortSignal) => AsyncIterable<ActionLine>

/** Result of following an action. */
type Followed =
  | { readonly kind: 'done'; readonly result: ActionResult }
  | { readonly kind: 'not-awaited' | 'timed-out' | 'interrupted' }

/** Follows an action, prints what happens, and returns the exit code. `names` are instances that events may name. */
export async function runAction(
  act: Act,
  context: CommandContext<ChangeOptions>,
  names: readonly string[] = [],
): Promise<number> {
  const { io, options } = context
  const progress = createProgress(context, { awaitsResult: true, names })
  const followed = await followAction(act, options, progress.event)
  switch (followed.kind) {
    case 'done':
      return progress.result(followed.result)
    case 'not-awaited':
      if (!options.quiet && !options.json)
        io.stdout.write('Asked for. It goes on in the background; look: prodserver ps\n')
      return EXIT.done
    case 'timed-out':
      io.stderr.write(
        `Not done within ${printDuration(options.timeout)}. It goes on in the background; look: prodserver ps\n`,
      )
      return EXIT.timedOut
    case 'interrupted':
      io.stderr.write('It goes on in the background; look: prodserver ps\n')
      return EXIT.interrupted
    default:
      return followed satisfies never
  }
}

async function followAction(
  act: Act,
  options: ChangeOptions,
  onEvent: (event: ProcessEvent) => void,
): Promise<Followed> {
  const controller = new AbortController()
  const { signal } = controller
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    controller.abort()
  }, options.timeout)
  const leave = (): void => controller.abort()
  process.once('SIGINT', leave)
  let result: ActionResult | undefined
  try {
    for await (const line of act(signal)) {
      if ('result' in line) result = line.result
      else if ('event' in line) onEvent(line.event)
      if (options['no-wait']) break
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', leave)
  }
  if (result) return { kind: 'done', result }
  if (options['no-wait']) return { kind: 'not-awaited' }
  return { kind: timedOut ? 'timed-out' : 'interrupted' }
}
