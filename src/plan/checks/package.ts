import type { Backend } from '../../backends/backend.ts'
import { modulesOf } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import type { Project } from '../../project/project.ts'
import { seesModule } from '../resolve/application.ts'
import { installedVersion, isOlder } from '../resolve/installed-version.ts'

interface Installation {
  readonly answer: SettingsAnswer
  readonly project: Project
}

/** Whether what the backend needs is there: its package, and its Django app. */
export function checkPackage(
  { name, placeOf }: Pick<Declaration, 'name' | 'placeOf'>,
  backend: Backend,
  { answer, project }: Installation,
): readonly Omit<Problem, 'process'>[] {
  const needed = backend.python
  if (!needed) return []
  const path = [project.root, ...answer.path]
  const isThere = modulesOf(needed).some((module) => answer.modules[module] ?? seesPackage(module, needed, path))
  if (!isThere && needed.module !== 'django') {
    return [
      {
        id: 'E203',
        place: placeOf('backend'),
        message: `${needed.package.split(' ')[0]} is not installed in ${project.python.path} (chosen by ${project.python.reason}), so ${JSON.stringify(name)} cannot start.`,
        hint: `${project.python.install} ${needed.package}`,
      },
    ]
  }
  const { installedApps = [] } = needed
  if (hasItsApp(backend, answer)) return []
  return [
    {
      id: 'E204',
      place: 'INSTALLED_APPS',
      message: `${backend.title} needs ${installedApps.map((app) => JSON.stringify(app)).join(' or ')} in INSTALLED_APPS.`,
      hint: `Add ${JSON.stringify(installedApps[0])} to INSTALLED_APPS, then: python manage.py migrate`,
    },
  ]
}

/** Whether a package that Python was not asked about is there, as far as files tell. */
const seesPackage = (module: string, needed: NonNullable<Backend['python']>, path: readonly string[]): boolean =>
  seesModule(module, path) || installedVersion(needed.package, path) !== undefined

/** Whether its app is in `INSTALLED_APPS`, where it needs one. */
export function hasItsApp({ python }: Backend, { settings }: SettingsAnswer): boolean {
  const { installedApps = [] } = python ?? {}
  const installed = settings['INSTALLED_APPS']
  const entries = Array.isArray(installed) ? installed.map(String) : []
  return (
    installedApps.length === 0 ||
    installedApps.some((app) => entries.some((entry) => entry === app || entry.startsWith(`${app}.apps.`)))
  )
}

/** Whether its version is one that is supported. Read from the folders of packages: nothing is imported. */
export function checkVersion(
  { placeOf }: Pick<Declaration, 'placeOf'>,
  { title, python }: Backend,
  { answer, project }: Installation,
): readonly Omit<Problem, 'process'>[] {
  if (python?.oldest === undefined) return []
  const [distribution = ''] = python.package.split(' ')
  const version = installedVersion(distribution, answer.path)
  if (version === undefined || !isOlder(version, python.oldest)) return []
  const message = `${title} ${version} is older than ${python.oldest}, the first version that is supported.`
  return [{ id: 'W306', place: placeOf('backend'), message, hint: `${project.python.install} -U ${distribution}` }]
}
