/** The lines of a text that comes in pieces; a last one without a newline was cut off, and is left out. */
export async function* splitLines(parts: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let rest = ''
  for await (const part of parts) {
    const lines = (rest + part).split('\n')
    rest = lines.pop() as string
    yield* lines.filter((line) => line !== '')
  }
}

interface ServerEvent {
  readonly event: string
  readonly data: string
}

/** Server-sent events, as in the HTML standard; comments, which keep a connection alive, are passed over. */
export async function* splitServerEvents(parts: AsyncIterable<string>): AsyncGenerator<ServerEvent, void, void> {
  let rest = ''
  let event = 'message'
  let data: string[] = []
  for await (const part of parts) {
    const lines = (rest + part).split(/\r\n|\n/)
    rest = lines.pop() as string
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (line === '') {
        if (data.length > 0) yield { event, data: data.join('\n') }
        event = 'message'
        data = []
      } else if (field === 'event') event = value
      else if (field === 'data') data.push(value)
    }
  }
}
