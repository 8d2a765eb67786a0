import type { Problem } from './errors.ts'

/** A value, or the problem that prevents it. Test `problem` first. */
export type Result<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: Problem }
