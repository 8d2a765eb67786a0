import { UsageError } from '../../../core/errors.ts'
import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PLAN_OPTIONS } from '../../option-sets.ts'
import { oneOf } from '../../option-values.ts'
import type { ParseValue } from '../../option-spec.ts'
import { flag, parsed, withDefault } from '../../options.ts'

/** Parses a level in upper or lower case, as Django's own `check --fail-level`. */
const failLevel: ParseValue<'ERROR' | 'WARNING'> = (text) => {
  const level = text.toUpperCase()
  if (level === 'ERROR' || level === 'WARNING') return level
  throw new UsageError(`--fail-level takes ERROR or WARNING, not ${text}.`)
}

export const FLAGS = defineCommand({
  name: 'check',
  usage: '[NAME...]',
  summary: 'Every problem, before anything starts',
  options: {
    ...PLAN_OPTIONS,
    deploy: flag("Also the running project: database, broker, migrations, Django's own check --deploy"),
    here: flag('Also whether this machine has the files and ports that are declared, and bears the load'),
    quick: flag('Only what the settings say: nothing is imported, and no program asked'),
    'fail-level': withDefault(
      parsed('LEVEL', 'ERROR or WARNING: what makes the exit code 4. Default ERROR', failLevel),
      'ERROR',
    ),
    format: parsed(
      'FORM',
      'text, json, github (annotations) or sarif. Default text',
      oneOf(['text', 'json', 'github', 'sarif']),
    ),
    ...JSON_OPTION,
    ...COMMON_OPTIONS,
  },
  examples: [
    ['prodserver check', 'exit code 4 when there are errors'],
    ['prodserver check --deploy --here', 'on the machine that it is to run on, before a deployment'],
    ['prodserver check --quick', 'while you write, many times a minute'],
    ['prodserver check --fail-level=WARNING', 'where a warning is too much as well'],
    ['prodserver check --format=github', 'shown at the lines of the settings'],
    ['prodserver check --json', 'one JSON object a line'],
  ],
})
