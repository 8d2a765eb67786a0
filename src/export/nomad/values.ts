import { type NameRule, targetName } from '../names.ts'

export const NOMAD_NAMES: NameRule = { title: 'Nomad', allowed: 'a-zA-Z0-9_-', lowerCase: false, longest: 63 }

/** Name of the group and the task of a process. */
export const groupName = ({ name }: { readonly name: string }): string => targetName(name, NOMAD_NAMES)
