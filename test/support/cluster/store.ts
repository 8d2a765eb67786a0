import { randomUUID } from 'node:crypto'
import { type Data, mergePatch, removedFields, type Stored } from './objects.ts'

/** The objects of one namespace, each below `PLURAL/NAME`, as etcd has them. */
export interface Store {
  readonly version: () => string
  readonly get: (plural: string, name: string) => Stored | undefined
  readonly list: (plural: string) => readonly Stored[]
  /** Server-side apply of one manager: what it said before and does not say any more is gone. */
  readonly apply: (plural: string, object: Data & Pick<Stored, 'apiVersion' | 'kind'>) => Stored
  readonly patch: (plural: string, name: string, patch: Data) => Stored | undefined
  /** A JSON patch of `replace` alone. */
  readonly replace: (
    plural: string,
    name: string,
    patch: readonly { readonly path: string; readonly value: unknown }[],
  ) => Stored | undefined
  readonly remove: (plural: string, name: string) => void
  readonly onChange: (
    listener: (plural: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Stored) => void,
  ) => () => void
}

export function createStore(): Store {
  const objects = new Map<string, Stored>()
  const applied = new Map<string, Data>()
  const listeners = new Set<Parameters<Store['onChange']>[0]>()
  let version = 1000
  const save = (plural: string, object: Stored): Stored => {
    const key = `${plural}/${object.metadata.name}`
    const before = objects.get(key)
    const isSame = before !== undefined && JSON.stringify(before) === JSON.stringify(object)
    if (isSame) return before
    const isChanged = before === undefined || JSON.stringify(before.spec) !== JSON.stringify(object.spec)
    version++
    const metadata = {
      ...object.metadata,
      resourceVersion: String(version),
      generation: (before?.metadata.generation ?? 0) + (isChanged ? 1 : 0),
    }
    const saved = { ...object, metadata }
    objects.set(key, saved)
    for (const listener of listeners) listener(plural, before ? 'MODIFIED' : 'ADDED', saved)
    return saved
  }
  return {
    version: () => String(version),
    get: (plural, name) => objects.get(`${plural}/${name}`),
    list: (plural) => [...objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object),
    apply: (plural, object) => {
      const { name } = object['metadata'] as Stored['metadata']
      const key = `${plural}/${name}`
      const before = objects.get(key)
      const gone = removedFields(applied.get(key), object)
      applied.set(key, object)
      return save(plural, before ? (mergePatch(mergePatch(before, gone), object) as Stored) : created(object))
    },
    patch: (plural, name, patch) => {
      const before = objects.get(`${plural}/${name}`)
      return before && save(plural, mergePatch(before, patch) as Stored)
    },
    replace: (plural, name, patch) => {
      const before = objects.get(`${plural}/${name}`)
      if (!before) return undefined
      const after = structuredClone(before) as unknown as Data
      for (const { path, value } of patch) {
        const keys = path.split('/').slice(1)
        const holder = keys.slice(0, -1).reduce<Data>((data, key) => data[key] as Data, after)
        holder[keys.at(-1) ?? ''] = value
      }
      return save(plural, after as unknown as Stored)
    },
    remove: (plural, name) => {
      const key = `${plural}/${name}`
      const object = objects.get(key)
      if (!object) return
      objects.delete(key)
      applied.delete(key)
      version++
      for (const listener of listeners) listener(plural, 'DELETED', object)
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const created = (object: Data): Stored =>
  mergePatch(
    {
      spec: {},
      status: {},
      metadata: { uid: randomUUID(), creationTimestamp: new Date().toISOString(), generation: 0 },
    },
    object,
  ) as Stored
