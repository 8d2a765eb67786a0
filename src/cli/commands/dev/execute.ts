import { EXIT, ProdserverError } from '../../../core/errors.ts'
import { become } from '../../../run/become.ts'
import { resolveProgram } from '../../../run/resolve-program.ts'
import { type DjangoProject, hasSettings } from '../../../project/project.ts'
import type { CommandContext } from '../index.ts'
import { projectFromOptions } from '../../read-project.ts'

/** Becomes Django's development server. The settings are not read first: it reports their mistakes itself, and goes on. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io } = context
  const { root, manage, python, settings, pythonPath } = djangoFromOptions(context)
  const file = resolveProgram({ program: python.path, cwd: root, env: io.env, place: python.reason, process: 'dev' })
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(io.env)) if (value !== undefined) env[name] = value
  if (settings.reason === '--settings' && settings.module) env['DJANGO_SETTINGS_MODULE'] = settings.module
  if (pythonPath.length > 0)
    env['PYTHONPATH'] = [...pythonPath, ...(env['PYTHONPATH'] ? [env['PYTHONPATH']] : [])].join(':')
  const start = manage === undefined ? ['-m', 'django'] : [manage]
  return become({ file, argv: [file, ...start, 'runserver', ...options.positionals, ...options.rest], env, cwd: root })
}

function djangoFromOptions(context: CommandContext): DjangoProject {
  const project = projectFromOptions(context)
  if (hasSettings(project)) return project
  const message = `There is no Django project in ${project.root}: no manage.py, and no settings are named.`
  const hint = 'Name them: --settings mysite.settings'
  throw new ProdserverError([{ id: 'E001', place: project.root, message, hint }], EXIT.failed)
}
