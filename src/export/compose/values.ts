import { printSize } from '../../core/sizes.ts'
import type { ExportedProcess } from '../input.ts'
import { type NameRule, targetName } from '../names.ts'

export const COMPOSE_NAMES: NameRule = { title: 'Compose', allowed: 'A-Za-z0-9._-', lowerCase: false, longest: 200 }

/** Name of the service of a process. */
export const serviceName = ({ name }: Pick<ExportedProcess, 'name'>): string => targetName(name, COMPOSE_NAMES)

/** Compose replaces variables in every text: a dollar sign is written twice. */
export const escape = (text: string): string => text.replaceAll('$', '$$$$')

/** Prints a size with the units of Compose: `512m`. */
export const size = (bytes: number): string => printSize(bytes).toLowerCase()
