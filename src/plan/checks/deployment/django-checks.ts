import type { Check } from '../check.ts'

/** Django's own `check --deploy` finds nothing. */
export const djangoChecks: Check<'deploy'> = {
  when: 'deploy',
  find: ({ deployment }) =>
    deployment.checks.map(({ id, isError, message, hint }) => ({
      id: isError ? 'E706' : 'W704',
      place: id ?? 'manage.py check --deploy',
      message,
      hint: hint ?? undefined,
    })),
}
