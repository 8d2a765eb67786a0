/** One thing that can be asked of a supervisor. The server answers these and nothing else; the reference page lists them. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** `{instance}` stands for any one part of a path. */
  readonly path: string
  readonly summary: string
  /** Parameters of the query, with what they do. */
  readonly query?: Readonly<Record<string, string>>
  /** The body: a type of `protocol.ts`, or words. */
  readonly takes?: string
  /** What the answer is made of: types of `protocol.ts`. */
  readonly gives: string
  readonly as: 'application/json' | 'application/x-ndjson' | 'text/event-stream'
}

export const ROUTES = {
  status: {
    method: 'GET',
    path: '/v1',
    summary: 'The supervisor itself',
    gives: 'SupervisorStatus',
    as: 'application/json',
  },
  processes: {
    method: 'GET',
    path: '/v1/processes',
    summary: 'Everything that it runs, now',
    query: { usage: '`1`: with processor and memory of each instance' },
    gives: 'Snapshot',
    as: 'application/json',
  },
  set: {
    method: 'GET',
    path: '/v1/set',
    summary: 'The values of `--set` that hold until the next `up`, secrets in clear, for who plans anew',
    gives: 'string[]',
    as: 'application/json',
  },
  why: {
    method: 'GET',
    path: '/v1/processes/{instance}/why',
    summary: 'Why an instance is in its state; the name of a process stands for its first instance',
    gives: 'Why',
    as: 'application/json',
  },
  events: {
    method: 'GET',
    path: '/v1/events',
    summary: 'What is (`event: snapshot`), then what happens (`event: process`), until the client leaves',
    gives: 'Snapshot, ProcessEvent',
    as: 'text/event-stream',
  },
  actions: {
    method: 'POST',
    path: '/v1/actions',
    summary: 'Change what runs; it is done also where the client leaves before',
    takes: 'ActionRequest',
    gives: 'ActionLine',
    as: 'application/x-ndjson',
  },
  apply: {
    method: 'POST',
    path: '/v1/apply',
    summary: 'Make what runs equal to a new plan, as `up` and `reload` do',
    takes: 'the plan of the same version of prodserver',
    gives: 'ActionLine',
    as: 'application/x-ndjson',
  },
} as const satisfies Readonly<Record<string, Route>>

type RouteName = keyof typeof ROUTES

type FoundRoute =
  | { readonly name: RouteName; readonly instance: string }
  /** There is such a path, with another method. */
  | { readonly allowed: string }

/** What a request asks for; undefined where there is no such thing. */
export function findRoute(method: string, pathname: string): FoundRoute | undefined {
  let allowed: string | undefined
  for (const [name, route] of Object.entries(ROUTES)) {
    const instance = matchPath(route.path, pathname)
    if (instance === undefined) continue
    if (route.method === method) return { name: name as RouteName, instance }
    allowed = route.method
  }
  return allowed === undefined ? undefined : { allowed }
}

/** What stands for `{instance}`, an empty text where the path has none; undefined where it is another path. */
function matchPath(path: string, pathname: string): string | undefined {
  const [before = '', after] = path.split('{instance}')
  if (after === undefined) return path === pathname ? '' : undefined
  if (!pathname.startsWith(before) || !pathname.endsWith(after)) return undefined
  const part = pathname.slice(before.length, -after.length)
  return part === '' || part.includes('/') ? undefined : decode(part)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // Then it is what it is, and no instance has that name.
    return part
  }
}
