import { parse } from 'yaml'
import type { Json } from '../../core/types.ts'
import { isDictionary } from '../../core/values.ts'
import { readCommandLine } from '../shell.ts'
import type { Found } from '../found.ts'
import { jsonText, plain, type Text } from '../text.ts'

/** The services of a Compose file that start something in an image of the project's own. @throws where it is not YAML */
export function readCompose(text: string, file: string): readonly Found[] {
  const value = parse(text, { merge: true }) as Json
  const services = isDictionary(value) && isDictionary(value['services']) ? value['services'] : {}
  return Object.entries(services).flatMap(([name, service]): Found[] => {
    if (!isDictionary(service)) return []
    const words = [...asWords(service['entrypoint']), ...asWords(service['command'])]
    if (words.length === 0) return []
    const deploy = isDictionary(service['deploy']) ? service['deploy'] : {}
    const replicas = Number(deploy['replicas'] ?? service['scale'] ?? 1)
    return [
      {
        name,
        from: `${file} (${name})`,
        command: isShell(words) ? plain(words[2] ?? '') : words,
        env: environmentOf(service['environment']),
        isForeign: service['build'] === undefined && service['image'] !== undefined,
        keys: replicas > 1 ? { INSTANCES: replicas } : {},
      },
    ]
  })
}

const isShell = ([program = '', flag = '', line]: readonly Text[]): boolean =>
  /^(\/bin\/)?(ba|da)?sh$/.test(plain(program)) && /^-[a-z]*c$/.test(plain(flag)) && typeof line === 'string'

/** A text is split into words, as Compose does; a list has them already. `$$` is a dollar sign there. */
function asWords(value: Json | undefined): readonly Text[] {
  if (Array.isArray(value)) return value.map((word) => jsonText(word).replaceAll('$$', '$'))
  if (typeof value !== 'string') return []
  const line = value.replaceAll('$$', '$')
  const steps = readCommandLine(line)
  return steps?.length === 1 ? (steps[0]?.words ?? []) : ['sh', '-c', line]
}

function environmentOf(value: Json | undefined): Readonly<Record<string, Text>> {
  const entries: readonly (readonly [string, string])[] = Array.isArray(value)
    ? value.flatMap((line) =>
        [/^([^=]+)=([\s\S]*)$/.exec(jsonText(line))].flatMap((match) =>
          match ? [[match[1] ?? '', match[2] ?? ''] as const] : [],
        ),
      )
    : // What comes from the shell that starts Compose has no value of its own there.
      Object.entries(isDictionary(value) ? value : {}).flatMap(([key, inner]) =>
        inner === null ? [] : [[key, jsonText(inner)] as const],
      )
  return Object.fromEntries(entries.map(([key, inner]) => [key, withReferences(inner)]))
}

/** A value with the references that Compose would replace. */
const withReferences = (value: string): Text =>
  readCommandLine(`"${value.replaceAll(/["`\\]/g, '\\$&')}"`)?.[0]?.words[0] ?? value
