import type { ExportInput } from '../input.ts'
import { targetName } from '../names.ts'
import type { ExportedFile } from '../target.ts'
import { toYaml, type YamlValue } from '../yaml.ts'
import type { Service } from './service.ts'

/** Writes `compose.yaml`. A value that most services have stands once, in `x-app`. */
export function composeFile(services: readonly (readonly [string, Service])[], { name }: ExportInput): ExportedFile {
  const shared = sharedKeys(services.map(([, one]) => one))
  const document = {
    name: targetName(name, { allowed: 'a-z0-9_-', lowerCase: true }),
    'x-app': Object.keys(shared).length > 0 ? shared : undefined,
    services: Object.fromEntries(services.map(([service, one]) => [service, withoutShared(one, shared)])),
  }
  const anchor = { key: 'x-app', name: 'app', users: 'services' }
  return { path: 'compose.yaml', text: toYaml(document, { apart: ['', 'services'], anchor }) }
}

const withoutShared = (one: Service, shared: Service): Service =>
  Object.fromEntries(Object.entries(one).filter(([key, value]) => !isSame(shared[key], value)))

/** Keys that services may share, in the order in which they are written. */
const SHARED = ['image', 'build', 'working_dir', 'user', 'init', 'env_file', 'environment', 'restart', 'logging']

/** Returns the keys and values that most services have. A service with another value writes it, and that value wins. */
function sharedKeys(services: readonly Service[]): Service {
  if (services.length < 2) return {}
  const usual = SHARED.map((key) => [key, usualValue(services.map((one) => one[key]))] as const)
  return Object.fromEntries(usual.filter(([, value]) => value !== undefined))
}

/** Returns the most frequent value. A key that one service leaves out has none: a merged key cannot be removed again. */
function usualValue(values: readonly YamlValue[]): YamlValue {
  if (values.includes(undefined)) return undefined
  const countOf = (value: YamlValue): number => values.filter((other) => isSame(other, value)).length
  const usual = values.toSorted((a, b) => countOf(b) - countOf(a))[0]
  return countOf(usual) > 1 ? usual : undefined
}

/** Compares two JSON values. */
const isSame = (a: YamlValue, b: YamlValue): boolean => JSON.stringify(a) === JSON.stringify(b)
