import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { removedVariables } from '../variables.ts'

/** Returns `user` or `user:group` of the container; undefined if the image decides. */
export function userOf({ user, group }: ExportedProcess, input: ExportInput): string | undefined {
  const name = user ?? input.user
  return name === undefined || group === null ? name : `${name}:${group}`
}

/** Whether the process declares a group that the container cannot take, because the image decides the user. */
export const isGroupWithoutUser = (exported: ExportedProcess, input: ExportInput): boolean =>
  exported.group !== null && userOf(exported, input) === undefined

/** Whether the process removes a variable, which no container can. */
export const removesVariable = (exported: ExportedProcess): boolean => removedVariables(exported).length > 0

/** Refuses an export without an image, for targets that build none. */
export function* checkImage({ image }: ExportInput): Generator<Problem> {
  const hint = 'Pass --image registry.example.com/shop:1.4'
  if (image === undefined) yield { id: 'E802', place: '--image', message: 'No image given for the containers.', hint }
}
