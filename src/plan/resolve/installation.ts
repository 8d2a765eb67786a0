import { type Backend } from '../../backends/backend.ts'
import { modulesOf } from '../../backends/index.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'

/** Tells whether Django and the package of a backend are installed, as far as Python was asked. */
export const isInstalled = ({ python }: Backend, { modules }: SettingsAnswer): boolean =>
  python !== undefined && modules['django'] === true && modulesOf(python).some((module) => modules[module] === true)

/** Tells whether the Django app of a backend is in `INSTALLED_APPS`; true if the backend needs none. */
export function hasItsApp({ python }: Backend, { settings }: SettingsAnswer): boolean {
  const { installedApps = [] } = python ?? {}
  const installed = settings['INSTALLED_APPS']
  const entries = Array.isArray(installed) ? installed.map(String) : []
  return (
    installedApps.length === 0 ||
    installedApps.some((app) => entries.some((entry) => entry === app || entry.startsWith(`${app}.apps.`)))
  )
}
