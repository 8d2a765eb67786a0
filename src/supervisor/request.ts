import { type ActionRequest, VERBS } from '../control/protocol.ts'
import { EXIT } from '../core/errors.ts'
import { isDictionary } from '../core/values.ts'
import { ActionError } from './actions.ts'

function refuse(what: string): never {
  throw new ActionError(what, EXIT.usage)
}

/**
 * Parses the body of an action request.
 *
 * @throws {ActionError} if it is none.
 */
export function parseRequest(body: unknown): ActionRequest {
  if (!isDictionary(body)) refuse('An action is an object.')
  const { verb, targets = [], counts = {}, force } = body as Record<string, unknown>
  if (!VERBS.includes(verb as (typeof VERBS)[number]))
    refuse(`There is no verb ${JSON.stringify(verb)}; there are ${VERBS.join(', ')}.`)
  if (!Array.isArray(targets) || targets.some((target) => typeof target !== 'string'))
    refuse('targets is a list of strings.')
  if (!isDictionary(counts)) refuse('counts is an object.')
  return {
    verb: verb as ActionRequest['verb'],
    targets: targets as string[],
    counts: Object.fromEntries(
      Object.entries(counts as Record<string, unknown>).map(([name, count]) => [name, String(count)]),
    ),
    force: force === true,
  }
}
