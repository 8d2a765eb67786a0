import type { ServerResponse } from 'node:http'

/** What pods have printed, and whoever follows it. */
export interface PodLogs {
  readonly print: (pod: string, line: string) => void
  /** Answers as a kubelet does: `timestamps`, `tailLines`, `sinceTime`, `follow`. */
  readonly send: (pod: string, query: URLSearchParams, response: ServerResponse) => void
}

export function createPodLogs(prints: (pod: string) => readonly string[] = () => []): PodLogs {
  const printed = new Map<string, string[]>()
  const readers = new Set<(pod: string, line: string) => void>()
  const linesOf = (pod: string): string[] => {
    const lines = printed.get(pod) ?? prints(pod).map(stamp)
    printed.set(pod, lines)
    return lines
  }
  return {
    print: (pod, line) => {
      const text = stamp(line)
      linesOf(pod).push(text)
      for (const reader of readers) reader(pod, text)
    },
    send: (pod, query, response) => {
      const show = (text: string): string => `${query.has('timestamps') ? text : text.slice(text.indexOf(' ') + 1)}\n`
      const sinceMs = Date.parse(query.get('sinceTime') ?? '') || 0
      const lines = linesOf(pod).filter(
        (text) => Date.parse(text.split(' ')[0] ?? '') >= Math.floor(sinceMs / 1000) * 1000,
      )
      const tail = query.get('tailLines')
      response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders()
      for (const line of tail === null ? lines : lines.slice(-Number(tail))) response.write(show(line))
      if (!query.has('follow')) return void response.end()
      const reader = (of: string, line: string): void => void (of === pod && response.write(show(line)))
      readers.add(reader)
      response.on('close', () => readers.delete(reader))
    },
  }
}

/** Nanoseconds, as the real one has them. */
const stamp = (line: string): string => `${new Date().toISOString().replace('Z', '000000Z')} ${line}`
