import type { ProcessKey } from '../../generated/keys.ts'
import type { Problem } from '../../core/errors.ts'
import { checkImage } from '../containers/container.ts'
import { checkReachable } from '../containers/ports.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { checkNames } from '../names.ts'
import { keyLocation } from '../problems.ts'
import { NOMAD_NAMES } from './values.ts'

/** Refuses what a job of Nomad cannot hold. */
export const check = (input: ExportInput): readonly Problem[] => [
  ...checkNames(input.processes, NOMAD_NAMES),
  ...checkImage(input),
  ...input.processes.flatMap((exported) => [
    ...checkReachable(exported),
    ...checkValues(exported),
    ...checkVariables(exported),
  ]),
]

/** An expression that Nomad replaces when it starts a task. It has no escape. */
const REPLACED = /\$\{[\w.-]+\}/

function checkValues(exported: ExportedProcess): readonly Problem[] {
  const { argv, env, cwd } = exported
  const values: readonly (readonly [ProcessKey, string])[] = [
    ...argv.map((word) => ['args', word] as const),
    ...Object.values(env).map((value) => ['env', value ?? ''] as const),
    ['cwd', cwd],
  ]
  return values.flatMap(([key, value]) => {
    const [found] = REPLACED.exec(value) ?? []
    if (found !== undefined) return [refuse(exported, key, value, `puts something else in the place of ${found}`)]
    return value === value.normalize('NFC') ? [] : [refuse(exported, key, value, 'composes characters')]
  })
}

const checkVariables = (exported: ExportedProcess): readonly Problem[] =>
  Object.keys(exported.env)
    .filter((variable) => !/^[A-Za-z_]\w*$/.test(variable))
    .map((variable) => refuse(exported, 'env', variable, 'replaces characters of the name'))

function refuse(exported: ExportedProcess, key: ProcessKey, value: string, does: string): Problem {
  return {
    id: 'E802',
    place: keyLocation(exported, key),
    process: exported.name,
    message: `Nomad ${does} in ${JSON.stringify(value.slice(0, 100))}, and has no way to write it otherwise.`,
    hint: 'Let the program read it from a file, or write it in another way',
  }
}
