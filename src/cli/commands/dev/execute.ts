import { EXIT, ProdserverError } from '../../../core/errors.ts'
import { type DjangoProject, hasSettings } from '../../../project/project.ts'
import { become } from '../../../run/become.ts'
import { resolveProgram } from '../../../run/resolve-program.ts'
import type { ContextOf } from '../../command.ts'
import { projectFromOptions } from '../../locate-project.ts'
import type { FLAGS } from './flags.ts'

type Context = ContextOf<typeof FLAGS>

/** Becomes Django's development server, which reads the settings and reports their mistakes itself. */
export async function execute(context: Context): Promise<number> {
  const { operands, passedOn, io } = context
  const project = djangoFromOptions(context)
  const { root, manage, python } = project
  const file = resolveProgram({ program: python.path, cwd: root, env: io.env, place: python.reason, process: 'dev' })
  const start = manage === undefined ? ['-m', 'django'] : [manage]
  const argv = [file, ...start, 'runserver', ...operands, ...passedOn]
  return become({ file, argv, env: environmentOf(project, context), cwd: root })
}

function environmentOf({ settings, pythonPath }: DjangoProject, { io }: Context): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(io.env)) if (value !== undefined) env[name] = value
  if (settings.reason === '--settings' && settings.module) env['DJANGO_SETTINGS_MODULE'] = settings.module
  const inherited = env['PYTHONPATH'] ? [env['PYTHONPATH']] : []
  if (pythonPath.length > 0) env['PYTHONPATH'] = [...pythonPath, ...inherited].join(':')
  return env
}

function djangoFromOptions(context: Context): DjangoProject {
  const project = projectFromOptions(context)
  if (hasSettings(project)) return project
  const message = `There is no Django project in ${project.root}: no manage.py, and no settings are named.`
  const hint = 'Name them: --settings mysite.settings'
  throw new ProdserverError([{ id: 'E001', place: project.root, message, hint }], EXIT.failed)
}
