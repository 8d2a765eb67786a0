import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Facts } from '../facts.ts'
import { isOlder } from '../resolve/installed-version.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

/** The installed version of the backend's package is supported. */
export const packageVersion: Check<'thorough'> = {
  when: 'thorough',
  find: eachResolved(({ declaration, backend }, facts) => oldPackage(declaration, backend, facts)),
}

export function oldPackage(
  { placeOf }: Pick<Declaration, 'placeOf'>,
  { title, python }: Backend,
  { answer, project, disk }: Pick<Facts, 'answer' | 'project' | 'disk'>,
): readonly ProcessProblem[] {
  if (python?.oldest === undefined) return []
  const [distribution = ''] = python.package.split(' ')
  const version = disk.installedVersion(distribution, answer.path)
  if (version === undefined || !isOlder(version, python.oldest)) return []
  const message = `${title} ${version} is older than ${python.oldest}, the first version that is supported.`
  return [{ id: 'W306', place: placeOf('backend'), message, hint: `${project.python.install} -U ${distribution}` }]
}
