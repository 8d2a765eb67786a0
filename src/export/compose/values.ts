import { printSize } from '../../core/sizes.ts'

/** Compose replaces variables in every text: a dollar sign is written twice. */
export const escape = (text: string): string => text.replaceAll('$', '$$$$')

/** Prints a size with the units of Compose: `512m`. */
export const size = (bytes: number): string => printSize(bytes).toLowerCase()
