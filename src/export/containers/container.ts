import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'

/** Returns `user` or `user:group` of the container; undefined if the image decides. */
export function userOf({ user, group }: ExportedProcess, input: ExportInput): string | undefined {
  const name = user ?? input.user
  return name === undefined || group === null ? name : `${name}:${group}`
}

/** Returns the variables that the container sets. */
export const setVariables = ({ env }: ExportedProcess): readonly (readonly [name: string, value: string])[] =>
  Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))

/** Whether the process removes a variable, which no container can. */
export const removesVariable = ({ env }: ExportedProcess): boolean => Object.values(env).includes(null)

/** Refuses an export without an image, for targets that build none. */
export function checkImage({ image }: ExportInput): readonly Problem[] {
  if (image !== undefined) return []
  return [
    {
      id: 'E802',
      place: '--image',
      message: 'No image is given for the containers.',
      hint: 'Pass it: --image registry.example.com/shop:1.4',
    },
  ]
}
