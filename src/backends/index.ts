import type { Backend } from './backend.ts'
import { celeryBeat, celeryWorker } from './celery.ts'
import { command } from './command.ts'
import { djangoCommand } from './django-command.ts'
import { djangoQ2 } from './django-q2.ts'
import { djangoTasks } from './django-tasks.ts'
import { granianAsgi, granianWsgi } from './granian.ts'
import { gunicorn } from './gunicorn.ts'
import { hypercorn } from './hypercorn.ts'
import { node } from './node.ts'
import { uvicorn, uvicornWsgi } from './uvicorn.ts'
import { waitress } from './waitress.ts'

/** The built-in backends, in the order of the reference. A new server family is one file and one line here. */
export const BACKENDS: readonly Backend[] = [
  gunicorn,
  waitress,
  granianWsgi,
  granianAsgi,
  uvicorn,
  uvicornWsgi,
  hypercorn,
  celeryWorker,
  celeryBeat,
  djangoTasks,
  djangoQ2,
  djangoCommand,
  node,
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

/** Top-level Python modules whose presence some backend depends on. */
export const PYTHON_MODULES: readonly string[] = [
  ...new Set(['django', ...BACKENDS.flatMap((backend) => backend.python?.module ?? [])]),
]
