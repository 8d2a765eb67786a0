import { needsDjango } from '../resolve/backend.ts'
import type { Check } from './check.ts'

/** A backend that needs Django is declared in a Django project, not in a folder with only a config file. */
export const djangoProject: Check = {
  when: 'always',
  find: ({ processes, project }) => {
    if (project.settings) return []
    return processes.flatMap(({ declaration, found }) => {
      if (!found || !needsDjango(found.backend)) return []
      const message = `${found.backend.title} needs a Django project, and there is no manage.py in ${project.root}.`
      const hint = 'Put the config file beside manage.py, or name the settings: --settings mysite.settings'
      return [{ id: 'E001', place: declaration.placeOf('backend'), process: declaration.name, message, hint }]
    })
  },
}
