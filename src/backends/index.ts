import type { Backend } from './backend.ts'
import { bullmq } from './bullmq.ts'
import { celeryBeat, celeryWorker } from './celery.ts'
import { channelsWorker } from './channels.ts'
import { command } from './command.ts'
import { daphne } from './daphne.ts'
import { djangoCommand } from './django-command.ts'
import { djangoQ2 } from './django-q2.ts'
import { djangoTasks } from './django-tasks.ts'
import { djangoDramatiq, dramatiq } from './dramatiq.ts'
import { flower } from './flower.ts'
import { granianAsgi, granianWsgi } from './granian.ts'
import { gunicorn, gunicornAsgi } from './gunicorn.ts'
import { huey } from './huey.ts'
import { hypercorn } from './hypercorn.ts'
import { next } from './next.ts'
import { node } from './node.ts'
import { npmScript } from './npm-script.ts'
import { procrastinate } from './procrastinate.ts'
import { djangoRq, djangoRqCron, rq } from './rq.ts'
import { uvicorn, uvicornWsgi } from './uvicorn.ts'
import { uwsgi } from './uwsgi.ts'
import { waitress } from './waitress.ts'

/** The built-in backends, in the order of the reference. A new server family is one file and one line here. */
export const BACKENDS: readonly Backend[] = [
  gunicorn,
  gunicornAsgi,
  waitress,
  granianWsgi,
  granianAsgi,
  uvicorn,
  uvicornWsgi,
  hypercorn,
  daphne,
  uwsgi,
  celeryWorker,
  celeryBeat,
  flower,
  djangoTasks,
  djangoQ2,
  djangoRq,
  djangoRqCron,
  rq,
  djangoDramatiq,
  dramatiq,
  huey,
  procrastinate,
  channelsWorker,
  djangoCommand,
  node,
  npmScript,
  next,
  bullmq,
  command,
]

const byPath: ReadonlyMap<string, Backend> = new Map(
  BACKENDS.flatMap(
    (backend) => [[backend.name, backend], ...(backend.paths ?? []).map((path) => [path, backend] as const)] as const,
  ),
)

/** The built-in backend of that short name or import path. */
export const findBackend = (reference: string): Backend | undefined => byPath.get(reference)

/** Everything that may stand in `BACKEND` for a built-in one. */
export const BACKEND_REFERENCES: readonly string[] = [...byPath.keys()]

/** Modules of which one must be there. */
export const modulesOf = ({ module, orModule }: NonNullable<Backend['python']>): readonly string[] =>
  orModule === undefined ? [module] : [module, orModule]

/** Top-level Python modules whose presence some backend depends on. */
export const PYTHON_MODULES: readonly string[] = [
  ...new Set(['django', ...BACKENDS.flatMap(({ python }) => (python ? modulesOf(python) : []))]),
]
