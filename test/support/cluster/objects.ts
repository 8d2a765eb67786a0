/** What JSON carries. */
export type Data = { [key: string]: unknown }

/** An object of the API, as it is stored. */
export interface Stored {
  readonly apiVersion: string
  readonly kind: string
  metadata: Metadata
  spec: Data
  status: Data
}

interface Metadata {
  readonly name: string
  uid: string
  resourceVersion: string
  generation: number
  creationTimestamp: string
  deletionTimestamp?: string
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
}

const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Merges as JSON merge patch does: null removes. https://www.rfc-editor.org/rfc/rfc7396 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isData(patch)) return patch
  const result: Data = isData(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

/** What was applied before and is not any more, as a merge patch that removes it. */
export function removedFields(before: unknown, after: unknown): Data {
  const patch: Data = {}
  for (const [key, value] of Object.entries(isData(before) ? before : {})) {
    const now = isData(after) ? after[key] : undefined
    if (now === undefined) patch[key] = null
    else if (isData(value)) patch[key] = removedFields(value, now)
  }
  return patch
}

/** `a=b,c=d`. */
export const matchesLabels = ({ metadata }: Stored, selector: string): boolean =>
  selector
    .split(',')
    .filter(Boolean)
    .every((part) => {
      const [key = '', value] = part.split('=')
      return metadata.labels?.[key] === value
    })
