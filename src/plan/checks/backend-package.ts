import type { Backend } from '../../backends/backend.ts'
import { modulesOf } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Facts } from '../facts.ts'
import { hasItsApp } from '../resolve/installation.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

/** The package of the backend is installed, and its Django app is in `INSTALLED_APPS`. */
export const backendPackage: Check = {
  when: 'always',
  find: eachResolved(({ declaration, backend }, facts) => missingPackage(declaration, backend, facts)),
}

export function missingPackage(
  { name, placeOf }: Pick<Declaration, 'name' | 'placeOf'>,
  backend: Backend,
  { answer, project, disk }: Pick<Facts, 'answer' | 'project' | 'disk'>,
): readonly ProcessProblem[] {
  const needed = backend.python
  if (!needed) return []
  const path = [project.root, ...answer.path]
  const isOnPath = (module: string): boolean =>
    disk.seesModule(module, path) || disk.installedVersion(needed.package, path) !== undefined
  const isThere = modulesOf(needed).some((module) => answer.modules[module] ?? isOnPath(module))
  if (!isThere && needed.module !== 'django') {
    const message = `${needed.package.split(' ')[0]} is not installed in ${project.python.path} (chosen by ${project.python.reason}), so ${JSON.stringify(name)} cannot start.`
    return [{ id: 'E203', place: placeOf('backend'), message, hint: `${project.python.install} ${needed.package}` }]
  }
  if (hasItsApp(backend, answer)) return []
  const { installedApps = [] } = needed
  const message = `${backend.title} needs ${installedApps.map((app) => JSON.stringify(app)).join(' or ')} in INSTALLED_APPS.`
  const hint = `Add ${JSON.stringify(installedApps[0])} to INSTALLED_APPS, then: python manage.py migrate`
  return [{ id: 'E204', place: 'INSTALLED_APPS', message, hint }]
}
