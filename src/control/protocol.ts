import type { TypeOf } from '../core/json-schema.ts'
import type { SCHEMAS } from './schemas.ts'
import type { EVENT_TYPES, INSTANCE_STATES } from './vocabulary.ts'

/**
 * The types of the control API: HTTP over the control socket of a supervisor, with JSON in both directions. The command
 * line and other clients use only these.
 */

export { API_VERSION, EVENT_MEANINGS, INSTANCE_STATES, STATE_MEANINGS, VERBS } from './vocabulary.ts'

type Schemas = typeof SCHEMAS

export type InstanceStateName = (typeof INSTANCE_STATES)[number]
export type EventType = (typeof EVENT_TYPES)[number]

export type InstanceStatus = TypeOf<Schemas['InstanceStatus']>
export type Usage = TypeOf<Schemas['Usage']>
export type ProcessStatus = TypeOf<Schemas['ProcessStatus']>
export type InstanceRow = TypeOf<Schemas['InstanceRow']>
export type DeclaredRow = TypeOf<Schemas['DeclaredRow']>
export type LogRow = TypeOf<Schemas['LogRow']>
export type SupervisorStatus = TypeOf<Schemas['SupervisorStatus']>
export type Snapshot = TypeOf<Schemas['Snapshot']>
export type Exit = TypeOf<Schemas['Exit']>
export type LastExit = TypeOf<Schemas['LastExit']>
export type ProcessEvent = TypeOf<Schemas['ProcessEvent']>
export type ActionRequest = TypeOf<Schemas['ActionRequest']>
export type ActionLine = TypeOf<Schemas['ActionLine']>
export type ActionResult = TypeOf<Schemas['ActionResult']>
export type ActionChange = TypeOf<Schemas['ActionChange']>
export type Why = TypeOf<Schemas['Why']>
export type ApiError = TypeOf<Schemas['ApiError']>
