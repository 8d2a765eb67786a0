import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { cleanEnv, PYTHON, ROOT } from './environment.ts'

/** One option as the installed program has it; test/support/option-tables.py explains the kinds. */
export interface KnownOption {
  readonly names: readonly string[]
  readonly letters: readonly string[]
  readonly kind: 'switch' | 'pair' | 'boolean' | 'optional' | 'list' | 'value'
  readonly repeatable: boolean
  readonly separator: string | null
  /** It must stand before the sub-command. */
  readonly global?: boolean
}

export interface Table {
  readonly options: readonly KnownOption[]
  /** Names known from Python, each with the flags that it must lead to; none where that cannot be told. */
  readonly names: Readonly<Record<string, readonly string[]>>
}

/** What the programs say of which the tests know, by program. */
export const TABLES: Readonly<Record<string, Table>> = JSON.parse(
  execFileSync(PYTHON, [join(ROOT, 'test', 'support', 'option-tables.py'), join(ROOT, 'src', 'plan')], {
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
