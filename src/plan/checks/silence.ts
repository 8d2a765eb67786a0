import type { Problem, ProblemId } from '../../core/errors.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'

/** Problems that a person may know better about. Without the others nothing could be planned. */
export const isSilenceable = (id: ProblemId): boolean => /^(W|E30[3-7]|E40[1-3]|E507|E7)/.test(id)

/** Without those that the project has silenced, as it silences Django's own: `SILENCED_SYSTEM_CHECKS`. */
export function withoutSilenced<T extends Pick<Problem, 'id'>>(
  problems: readonly T[],
  { settings }: SettingsAnswer,
): readonly T[] {
  const names = settings['SILENCED_SYSTEM_CHECKS']
  if (!Array.isArray(names) || names.length === 0) return problems
  return problems.filter(({ id }) => !isSilenceable(id) || !names.includes(`prodserver.${id}`))
}
