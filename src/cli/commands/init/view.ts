import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectView } from '../../../init/index.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'

/** The facts of a project that a proposal depends on. */
export function viewOf(root: string, answer: SettingsAnswer, celery: ProjectView['celery']): ProjectView {
  const { settings, modules, lines = [] } = answer
  const installed = settings['INSTALLED_APPS']
  return {
    root,
    hasDjango: answer.settingsFile !== null,
    modules,
    installedApps: Array.isArray(installed) ? installed.map((app) => String(app).replace(/\.apps\.\w+$/, '')) : [],
    wsgi: withColon(settings['WSGI_APPLICATION']),
    // Django does not make this setting; its template makes the file.
    asgi: withColon(settings['ASGI_APPLICATION']) ?? besideWsgi(settings['WSGI_APPLICATION']),
    celery,
    hasStaticRoot: lines.some(([path]) => path.length === 1 && path[0] === 'STATIC_ROOT'),
    hasStartScript: hasStartScript(join(root, 'package.json')),
  }
}

function hasStartScript(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts?: { start?: unknown } }
    return typeof scripts?.start === 'string'
  } catch {
    return false
  }
}

const withColon = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.replace(/\.([^.:]*)$/, ':$1') : undefined

const besideWsgi = (value: unknown): string | undefined =>
  typeof value === 'string' ? withColon(value.replace(/\bwsgi\b/, 'asgi')) : undefined
