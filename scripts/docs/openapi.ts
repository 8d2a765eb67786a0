import type { Json } from '../../src/core/types.ts'
import { type Route, ROUTES } from '../../src/control/routes.ts'
import { SCHEMAS } from '../../src/control/schemas.ts'
import { API_VERSION } from '../../src/control/protocol.ts'

type Fields = { readonly [key: string]: Json }

/** Renders the OpenAPI document of the control API. Its schemas also describe the lines that `--json` prints. */
export function renderOpenApi(): string {
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'prodserver control API',
      version: String(API_VERSION),
      description:
        'HTTP over the Unix socket control.sock of the state directory. Times are RFC 3339 in UTC, durations are milliseconds, sizes are bytes.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://localhost' }],
    paths: paths(),
    components: {
      schemas: Object.fromEntries(Object.entries(SCHEMAS).map(([name, { json }]) => [name, json])),
    },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function paths(): Fields {
  const entries = Object.entries<Route>(ROUTES).map(([name, route]) => [
    route.path,
    { [route.method.toLowerCase()]: operation(name, route) },
  ])
  return Object.fromEntries(entries) as Fields
}

function operation(name: string, { path, summary, query = {}, takes, gives, as }: Route): Fields {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query).map(([parameter, description]) => ({
    name: parameter,
    in: 'query',
    description,
    schema: { type: 'string' },
  }))
  return {
    operationId: name,
    summary,
    ...(inPath.length + inQuery.length > 0 ? { parameters: [...inPath, ...inQuery] } : {}),
    ...(takes === undefined ? {} : { requestBody: requestBody(takes) }),
    responses: {
      200: { description: answerOf(as), content: { [as]: { schema: schemaOf(gives) } } },
      default: { description: 'An error.', content: { 'application/json': { schema: schemaOf('ApiError') } } },
    },
  }
}

function requestBody(takes: string): Fields {
  const isType = takes in SCHEMAS
  const schema: Fields = isType ? schemaOf(takes) : { type: 'object', description: takes }
  return { required: true, content: { 'application/json': { schema } } }
}

function answerOf(as: Route['as']): string {
  if (as === 'application/x-ndjson') return 'A stream of lines, each of which is one object.'
  if (as === 'text/event-stream') return 'A stream of events, each of which carries one object.'
  return 'The answer.'
}

/** Returns the schema of types as `routes.ts` names them: one, several, or a list of strings. */
function schemaOf(types: string): Fields {
  if (types === 'string[]') return { type: 'array', items: { type: 'string' } }
  const schemas = types.split(', ').map((name) => ({ $ref: `#/components/schemas/${name}` }))
  return schemas.length === 1 ? (schemas[0] as Fields) : { oneOf: schemas }
}
