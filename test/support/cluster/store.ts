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

export const createStore = (): Store => new MemoryStore()

class MemoryStore implements Store {
  readonly #objects = new Map<string, Stored>()
  /** The object as it was applied last, by key. */
  readonly #applied = new Map<string, Data>()
  readonly #listeners = new Set<Parameters<Store['onChange']>[0]>()
  #version = 1000

  version(): string {
    return String(this.#version)
  }

  get(plural: string, name: string): Stored | undefined {
    return this.#objects.get(`${plural}/${name}`)
  }

  list(plural: string): readonly Stored[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object)
  }

  apply(plural: string, object: Data): Stored {
    const { name } = object['metadata'] as Stored['metadata']
    const key = `${plural}/${name}`
    const before = this.#objects.get(key)
    const gone = removedFields(this.#applied.get(key), object)
    this.#applied.set(key, object)
    return this.#save(plural, before ? (mergePatch(mergePatch(before, gone), object) as Stored) : created(object))
  }

  patch(plural: string, name: string, patch: Data): Stored | undefined {
    const before = this.get(plural, name)
    return before && this.#save(plural, mergePatch(before, patch) as Stored)
  }

  replace(
    plural: string,
    name: string,
    patch: readonly { readonly path: string; readonly value: unknown }[],
  ): Stored | undefined {
    const before = this.get(plural, name)
    if (!before) return undefined
    const after = structuredClone(before) as unknown as Data
    for (const { path, value } of patch) {
      const keys = path.split('/').slice(1)
      const holder = keys.slice(0, -1).reduce<Data>((data, key) => data[key] as Data, after)
      holder[keys.at(-1) ?? ''] = value
    }
    return this.#save(plural, after as unknown as Stored)
  }

  remove(plural: string, name: string): void {
    const key = `${plural}/${name}`
    const object = this.#objects.get(key)
    if (!object) return
    this.#objects.delete(key)
    this.#applied.delete(key)
    this.#version++
    for (const listener of this.#listeners) listener(plural, 'DELETED', object)
  }

  onChange(listener: Parameters<Store['onChange']>[0]): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #save(plural: string, object: Stored): Stored {
    const key = `${plural}/${object.metadata.name}`
    const before = this.#objects.get(key)
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(object)) return before
    const isChanged = before === undefined || JSON.stringify(before.spec) !== JSON.stringify(object.spec)
    this.#version++
    const metadata = {
      ...object.metadata,
      resourceVersion: this.version(),
      generation: (before?.metadata.generation ?? 0) + (isChanged ? 1 : 0),
    }
    const saved = { ...object, metadata }
    this.#objects.set(key, saved)
    for (const listener of this.#listeners) listener(plural, before ? 'MODIFIED' : 'ADDED', saved)
    return saved
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
