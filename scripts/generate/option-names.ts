import { readFileSync } from 'node:fs'

/**
 * What an option takes: `switch` true or false, `value` one value, `list` one or several, `optional` a value or true.
 */
export type OptionKind = 'switch' | 'value' | 'list' | 'optional'

/**
 * Options by backend, as the programs of `scripts/requirements-test.txt` have them: for editors only, `check` asks what
 * is installed. Written by `npm test -- --test-update-snapshots test/option-names.spec.ts`.
 */
export const OPTION_NAMES: Readonly<Record<string, Readonly<Record<string, OptionKind>>>> = JSON.parse(
  readFileSync(new URL('option-names.json', import.meta.url), 'utf8'),
) as typeof OPTION_NAMES
