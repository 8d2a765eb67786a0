import type { Declaration } from '../../../config/declarations.ts'
import type { Problem } from '../../../core/errors.ts'
import { AS_SETTINGS } from '../../../core/notation.ts'
import { guard, isSecretName } from '../../../core/secret.ts'
import type { Json } from '../../../core/types.ts'
import { isDictionary } from '../../../core/values.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import type { Check } from '../check.ts'

/** No secret is written into the settings or the config file, and so into their history. */
export const writtenSecrets: Check<'deploy'> = {
  when: 'deploy',
  find: ({ processes, answer }) =>
    processes
      .map(({ declaration }) => declaration)
      .filter(({ enabled }) => enabled !== false)
      .flatMap((declaration) => [
        ...secretsIn('env', declaration, answer).map((name) => explain('env', name, declaration)),
        ...secretsIn('args', declaration, answer).map((name) => explain('args', name, declaration)),
      ]),
}

/** Names of secrets whose values stand in the source as they are. */
function secretsIn(
  key: 'env' | 'args',
  { name, [key]: values, spelling }: Declaration,
  { literals = [] }: SettingsAnswer,
): readonly string[] {
  if (!isDictionary(values)) return []
  const written = new Set(literals.map((path) => JSON.stringify(path)))
  return Object.entries(values as Record<string, Json>)
    .filter(([inner, value]) => typeof value === 'string' && isSecret(inner, value))
    .map(([inner]) => inner)
    .filter((inner) => written.has(JSON.stringify([spelling.processes, name, spelling.key(key), inner])))
}

const isSecret = (name: string, value: string): boolean =>
  value !== '' && (isSecretName(name) || typeof guard(name, value) !== 'string')

function explain(key: 'env' | 'args', variable: string, { name, placeOf, spelling }: Declaration): Problem {
  const [file, environment] = spelling === AS_SETTINGS ? ['settings', 'os.environ'] : ['config file', 'process.env']
  return {
    id: 'W706',
    place: placeOf(key, variable),
    process: name,
    message: `${JSON.stringify(variable)} is written into the ${file}, and so into the history of the project.`,
    hint: `Take it from the environment: ${environment}[${JSON.stringify(variable.toUpperCase().replaceAll('-', '_'))}]`,
  }
}
