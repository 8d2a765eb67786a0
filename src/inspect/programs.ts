import { join } from 'node:path'

/** Python file that reads the settings. */
export const settingsProbe: string = join(import.meta.dirname, 'django_probe.py')
/** Python file that imports the project: backend classes, applications, options, deployment facts. */
export const projectProbe: string = join(import.meta.dirname, 'python_backend.py')
