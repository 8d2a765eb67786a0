import type { PlanContext } from '../config/key.ts'
import type { ProcessOptions } from '../config/schema.ts'
import { mapFields, type PlannedValues } from './planned-keys.ts'

/** Returns every value of a process but its command line and environment: the declared one, the backend's or the default. */
export const plannedValues = (declaration: ProcessOptions, context: Omit<PlanContext, 'declaration'>): PlannedValues =>
  mapFields(({ key, definition }) => definition.plan(declaration[key], { ...context, declaration })) as PlannedValues
