/** Reads an event as version 0.1 wrote it: its invocation has the name `run`. */
export function upgradeEvent(event: object): object {
  if (!('run' in event) || 'invocation' in event) return event
  const { run: invocation, ...rest } = event
  return { ...rest, invocation }
}
