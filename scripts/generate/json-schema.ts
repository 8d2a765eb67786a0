/** The JSON Schema of a config file, from the schema by which declarations are checked. */
import * as v from 'valibot'
import { BACKENDS } from '../../src/backends/index.ts'
import { CONFIG_NOTATION, KEYS, PROCESS_KEYS, processSchema } from '../../src/config/schema.ts'
import { type OptionKind, OPTION_NAMES } from './option-names.ts'

/** As much of JSON Schema (draft 7, which every editor knows) as there is here. */
export interface JsonSchema {
  readonly $schema?: string
  readonly $ref?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly required?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly if?: JsonSchema
  readonly then?: JsonSchema
  readonly definitions?: Readonly<Record<string, JsonSchema>>
}

const inConfig = (text: string): string => CONFIG_NOTATION.say({ place: '', message: text }).message

export function renderJsonSchema(): string {
  const process = processJsonSchema()
  const { properties } = process
  const names = BACKENDS.map(({ name }) => name)
  const schema: JsonSchema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Processes for prodserver',
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      processes: {
        description: 'Processes by their names.',
        type: 'object',
        additionalProperties: { $ref: '#/definitions/process' },
      },
      defaults: {
        description: 'Keys that every process of this file starts from.',
        type: 'object',
        properties: Object.fromEntries(Object.keys(properties).map((key) => [key, { $ref: `${PROCESS}/${key}` }])),
        additionalProperties: false,
      },
    },
    required: ['processes'],
    additionalProperties: false,
    definitions: {
      process: {
        ...process,
        // Editors complete the names; another one may be a class, a module or a package.
        properties: { ...properties, backend: { ...properties['backend'], anyOf: [{ enum: names }, {}] } },
        allOf: argsByBackend(),
      },
      ...OPTION_TYPES,
    },
  }
  return `${JSON.stringify(schema, null, 1).replace(/\{\s+("\$ref": "[^"]+")\s+\}/g, '{ $1 }')}\n`
}

/** The JSON Schema of one process, with the description of each key. */
export function processJsonSchema(): JsonSchema & { readonly properties: Readonly<Record<string, JsonSchema>> } {
  const schema = toJsonSchema(processSchema)
  const described = PROCESS_KEYS.map((key) => [
    key,
    { ...schema.properties?.[key], description: inConfig(KEYS[key].description) },
  ])
  return { ...schema, properties: Object.fromEntries(described) as Readonly<Record<string, JsonSchema>> }
}

const PROCESS = '#/definitions/process/properties'

/** Names of options are suggested, and others allowed: the installed version may have more. */
const argsByBackend = (): readonly JsonSchema[] =>
  Object.entries(OPTION_NAMES).map(([name, options]) => ({
    if: { properties: { backend: { enum: referencesOf(name) } }, required: ['backend'] },
    // oxlint-disable-next-line unicorn/no-thenable -- it is a word of JSON Schema
    then: {
      properties: {
        args: {
          type: 'object',
          properties: Object.fromEntries(
            Object.entries(options).map(([option, kind]) => [option, { $ref: `#/definitions/${kind}` }]),
          ),
        },
      },
    },
  }))

/** Everything that means the backend. */
const referencesOf = (name: string): readonly string[] => [
  name,
  ...(BACKENDS.find((backend) => backend.name === name)?.paths ?? []),
]

const values = { type: 'array', items: { type: ['string', 'number'] } } as const
const OPTION_TYPES: Readonly<Record<OptionKind, JsonSchema>> = {
  switch: { type: ['boolean', 'null'] },
  value: { type: ['string', 'number', 'null'] },
  optional: { type: ['boolean', 'string', 'number', 'null'] },
  list: { anyOf: [{ type: ['string', 'number', 'null'] }, values] },
}

/** A schema as JSON Schema. What only code can tell, such as whether a time zone exists, is left to `check`. */
function toJsonSchema(schema: v.GenericSchema): JsonSchema {
  const { pipe = [] } = schema as { readonly pipe?: readonly (v.GenericSchema | v.GenericPipeItem)[] }
  const [root, ...actions] = pipe
  const base = root === undefined ? convert(schema) : toJsonSchema(root as v.GenericSchema)
  return actions.reduce<JsonSchema>((found, action) => ({ ...found, ...refine(action as Action, found) }), base)
}

type Known = v.GenericSchema & {
  readonly entries?: Readonly<Record<string, v.GenericSchema>>
  readonly wrapped?: v.GenericSchema
  readonly default?: unknown
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly item?: v.GenericSchema
  readonly value?: v.GenericSchema
  readonly getter?: (input: unknown) => v.GenericSchema
}

function convert(schema: Known): JsonSchema {
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: schema.type }
    case 'unknown':
      return {}
    case 'literal':
      return { const: schema.literal }
    case 'picklist':
      return { enum: schema.options as readonly unknown[] }
    case 'array':
      return { type: 'array', items: toJsonSchema(schema.item as v.GenericSchema) }
    case 'record':
      return { type: 'object', additionalProperties: toJsonSchema(schema.value as v.GenericSchema) }
    case 'optional':
      return {
        ...toJsonSchema(schema.wrapped as v.GenericSchema),
        ...(schema.default !== undefined && { default: schema.default }),
      }
    case 'nullable':
      return oneOfThem([toJsonSchema(schema.wrapped as v.GenericSchema), { type: 'null' }])
    case 'union':
      return oneOfThem((schema.options as readonly v.GenericSchema[]).map(toJsonSchema))
    case 'lazy':
      return fromLazy(schema.getter as NonNullable<Known['getter']>)
    case 'strict_object':
      return fromObject(schema.entries as NonNullable<Known['entries']>)
    default:
      throw new Error(`There is no JSON Schema for a schema of the type ${schema.type}`)
  }
}

/** What is inside a dictionary, and what may stand there in its place. */
function fromLazy(getter: NonNullable<Known['getter']>): JsonSchema {
  const [inside, otherwise] = [getter({}), getter(undefined)]
  return otherwise.type === 'never' ? toJsonSchema(inside) : oneOfThem([toJsonSchema(otherwise), toJsonSchema(inside)])
}

function fromObject(entries: NonNullable<Known['entries']>): JsonSchema {
  const required = Object.entries(entries).filter(([, entry]) => entry.type !== 'optional')
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, toJsonSchema(entry)])),
    additionalProperties: false,
    ...(required.length > 0 && { required: required.map(([key]) => key) }),
  }
}

/** Simple types in one list, which editors show better. */
function oneOfThem(schemas: readonly JsonSchema[]): JsonSchema {
  const flat = schemas.flatMap((schema) => schema.anyOf ?? schema)
  const simple = flat.filter((schema) => Object.keys(schema).join() === 'type')
  const rest = flat.filter((schema) => !simple.includes(schema))
  const merged = simple.length > 0 ? [{ type: oneOrMore(simple.flatMap(({ type }) => type ?? [])) }] : []
  return [...merged, ...rest].length === 1 ? ([...merged, ...rest][0] as JsonSchema) : { anyOf: [...merged, ...rest] }
}

const oneOrMore = (types: readonly string[]): string | readonly string[] => (types.length === 1 ? types[0]! : types)

type Action = v.GenericPipeItem & { readonly requirement?: unknown; readonly metadata?: { readonly json?: JsonSchema } }

function refine(action: Action, { type }: JsonSchema): JsonSchema {
  const { requirement } = action
  switch (action.type) {
    case 'regex':
      return { pattern: (requirement as RegExp).source }
    case 'integer':
      return { type: 'integer' }
    case 'min_value':
      return { minimum: requirement as number }
    case 'max_value':
      return { maximum: requirement as number }
    case 'non_empty':
      return type === 'string' ? { minLength: 1 } : {}
    case 'metadata':
      return action.metadata?.json ?? {}
    default:
      return {}
  }
}
