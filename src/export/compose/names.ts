import type { ExportedProcess } from '../input.ts'
import { type NameRule, targetName } from '../names.ts'

export const COMPOSE_NAMES: NameRule = { title: 'Compose', allowed: 'A-Za-z0-9._-', lowerCase: false, longest: 200 }

/** Name of the service of a process. */
export const serviceName = ({ name }: Pick<ExportedProcess, 'name'>): string => targetName(name, COMPOSE_NAMES)
