import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { findBackend } from '../../src/backends/index.ts'
import { cleanEnv, PYTHON, ROOT } from './environment.ts'

/** One option as the installed program has it; test/support/option-tables.py explains the kinds. */
export interface KnownOption {
  readonly names: readonly string[]
  readonly letters: readonly string[]
  readonly kind: 'switch' | 'pair' | 'boolean' | 'optional' | 'list' | 'value'
  /** Null where the program does not tell. */
  readonly repeatable: boolean | null
  readonly separator: string | null
  /** It must stand before the sub-command. */
  readonly global?: boolean
}

export interface Table {
  readonly options: readonly KnownOption[]
  /** Names known from Python, each with the flags that it must lead to; none where that cannot be told. */
  readonly names: Readonly<Record<string, readonly string[]>>
}

const USUAL =
  'cheaper chdir gid http-timeout ini log-format logto max-worker-lifetime offload-threads pidfile post-buffering ' +
  'procname-prefix py-autoreload reload-on-rss stats threads uid worker-reload-mercy workers wsgi-file'

/** uWSGI has about nine hundred options, and is asked only of those that we name, and of usual ones. */
const OF_UWSGI = ((): readonly string[] => {
  const { switches = [], optionalValues = [], repeatable = [], short = {} } = findBackend('uwsgi')?.options ?? {}
  return [...new Set([...switches, ...optionalValues, ...repeatable, ...Object.values(short), ...USUAL.split(' ')])]
})()

/** What the programs say of which the tests know, by program. */
export const TABLES: Readonly<Record<string, Table>> = JSON.parse(
  execFileSync(PYTHON, [join(ROOT, 'test', 'support', 'option-tables.py'), join(ROOT, 'src', 'inspect'), ...OF_UWSGI], {
    env: cleanEnv(),
    encoding: 'utf8',
  }),
) as Readonly<Record<string, Table>>

/** Backends, and the program whose options they take. */
export const PROGRAM_OF: Readonly<Record<string, string>> = {
  gunicorn: 'gunicorn',
  'gunicorn-asgi': 'gunicorn',
  waitress: 'waitress',
  uvicorn: 'uvicorn',
  'uvicorn-wsgi': 'uvicorn',
  'granian-wsgi': 'granian',
  'granian-asgi': 'granian',
  hypercorn: 'hypercorn',
  daphne: 'daphne',
  uwsgi: 'uwsgi',
  'celery-worker': 'celery worker',
  'celery-beat': 'celery beat',
  flower: 'celery flower',
  'django-tasks': 'db_worker',
  'django-q2': 'qcluster',
  'django-rq': 'rqworker',
  'django-rq-cron': 'rqcron',
  rq: 'rq worker',
  'django-dramatiq': 'rundramatiq',
  dramatiq: 'dramatiq',
  huey: 'run_huey',
  procrastinate: 'procrastinate worker',
  'channels-worker': 'runworker',
}

/** Names of the Python side that stand for objects and functions, which no command line can carry. */
export const ONLY_IN_PYTHON: Readonly<Record<string, readonly string[]>> = {
  uvicorn: ['app', 'timeout_notify', 'callback_notify', 'ssl_context_factory'],
  granian: ['target', 'http1_settings', 'http2_settings', 'log_dictconfig', 'reload_filter'],
}
