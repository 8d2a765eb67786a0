import type { ExportedProcess, ExportInput } from './input.ts'
import type { Support, SupportRecord } from './support.ts'

/** Settings of a file with lines `Key=value`. A list is a line for each value; null and undefined are left out. */
export type Settings = Readonly<Record<string, string | number | readonly string[] | null | undefined>>

export const renderSettings = (settings: Settings): string =>
  Object.entries(settings)
    .flatMap(([key, value]) => [value ?? []].flat().map((one) => `${key}=${one}\n`))
    .join('')

/** A row may write settings that no other key has a part in. */
export type SettingsRow = Support & { settings?: (exported: ExportedProcess, input: ExportInput) => Settings }

/** Returns the settings that the rows of a record write. */
export const settingsOf = (
  support: SupportRecord<SettingsRow>,
  exported: ExportedProcess,
  input: ExportInput,
): Settings =>
  Object.assign({}, ...Object.values(support).map(({ settings }) => settings?.(exported, input))) as Settings
