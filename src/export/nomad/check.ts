import type { Problem } from '../../core/errors.ts'
import type { ProcessKey } from '../../generated/keys.ts'
import { checkImage } from '../containers/container.ts'
import { checkReachable } from '../containers/ports.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { checkNames } from '../names.ts'
import { refuse } from '../problems.ts'
import { setVariables } from '../variables.ts'
import { NOMAD_NAMES } from './task.ts'

/** Refuses what a job of Nomad cannot hold. */
export function* check(input: ExportInput): Generator<Problem> {
  yield* checkNames(input.processes, NOMAD_NAMES)
  yield* checkImage(input)
  for (const exported of input.processes) {
    yield* checkReachable(exported)
    yield* checkValues(exported)
  }
}

/** An expression that Nomad replaces when it starts a task. It has no escape. */
const REPLACED = /\$\{[\w.-]+\}/

function* checkValues(exported: ExportedProcess): Generator<Problem> {
  const refuseValue = (key: ProcessKey, does: string): Problem =>
    refuse(exported, key, `Nomad ${does}, and knows no escape for it.`, 'Let the program read the value from a file')
  const { argv, env, cwd } = exported
  const texts = { args: argv, env: setVariables(exported).map(([, value]) => value), cwd: [cwd] }
  for (const key of ['args', 'env', 'cwd'] as const)
    for (const text of texts[key]) {
      const [found] = REPLACED.exec(text) ?? []
      const shown = JSON.stringify(text.slice(0, 100))
      if (found !== undefined) yield refuseValue(key, `replaces ${found} in ${shown}`)
      else if (text !== text.normalize('NFC')) yield refuseValue(key, `composes characters of ${shown}`)
    }
  for (const variable of Object.keys(env))
    if (!/^[A-Za-z_]\w*$/.test(variable))
      yield refuseValue('env', `replaces characters of the name ${JSON.stringify(variable)}`)
}
