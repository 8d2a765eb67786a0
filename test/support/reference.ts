import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ROOT } from './environment.ts'
import { createProject } from './project.ts'

/** One process of a documented configuration. */
export interface ReferenceProcess {
  /** What follows the interpreter and `-m`, by the rule: a key becomes `--key`, its value follows after `=`. */
  readonly command: string
  /** What of its output shows that it works as declared; a web server is asked instead. */
  readonly works?: readonly RegExp[]
}

export interface Reference {
  readonly processes: Readonly<Record<string, ReferenceProcess>>
  /** The host that its settings answer to. */
  readonly host?: string
}

/**
 * The documented configurations, as they stand in test/fixtures/reference/. Each must be planned without a problem, and
 * each of its processes must really work.
 */
export const REFERENCE: Readonly<Record<string, Reference>> = {
  args_translation: {
    processes: {
      web: { command: 'gunicorn --bind=0.0.0.0:8000 --workers=4 --timeout=30 myproject.wsgi:application' },
    },
  },
  example_translation: {
    processes: {
      web: {
        command: 'gunicorn --bind=0.0.0.0:8000 --workers=4 --worker-class=sync --timeout=60 myproject.wsgi:application',
      },
    },
  },
  single_web_server: {
    processes: {
      web: { command: 'gunicorn --bind=0.0.0.0:8000 --workers=4 myproject.wsgi:application' },
    },
  },
  web_and_worker: {
    processes: {
      web: { command: 'gunicorn --bind=0.0.0.0:8000 --workers=4 --timeout=60 myproject.wsgi:application' },
      worker: {
        command: 'celery -A myproject.celery.app worker --concurrency=4 --loglevel=info',
        works: [/concurrency: 4 \(prefork\)/, /INFO.*celery@\S+ ready\./],
      },
    },
  },
  complete_stack: {
    processes: {
      web: {
        command: 'uvicorn --host=0.0.0.0 --port=8000 --workers=4 --log-level=info myproject.asgi:application',
      },
      worker: {
        command: 'celery -A myproject.celery.app worker --concurrency=4 --loglevel=info --max-tasks-per-child=1000',
        works: [/concurrency: 4 \(prefork\)/, /INFO.*celery@\S+ ready\./],
      },
      beat: { command: 'celery -A myproject.celery.app beat --loglevel=info', works: [/INFO.*beat: Starting/] },
    },
  },
  settings_dev: {
    processes: { web: { command: 'waitress --port=8000 --threads=4 myproject.wsgi:application' } },
  },
  settings_staging: {
    host: 'staging.example.com',
    processes: {
      web: {
        command:
          'gunicorn --bind=0.0.0.0:8000 --workers=2 --timeout=60 --access-logfile=/var/log/myapp/access.log myproject.wsgi:application',
      },
      worker: {
        command: 'celery -A myproject.celery.app worker --concurrency=2 --loglevel=debug',
        works: [/concurrency: 2 \(prefork\)/, /DEBUG/, /celery@\S+ ready\./],
      },
    },
  },
  settings_prod: {
    host: 'www.example.com',
    processes: {
      web: {
        command:
          'gunicorn --bind=0.0.0.0:8000 --workers=8 --worker-class=gevent --timeout=120 --max-requests=1000 --max-requests-jitter=100 --access-logfile=/var/log/myapp/access.log --error-logfile=/var/log/myapp/error.log myproject.wsgi:application',
      },
      worker: {
        command: 'celery -A myproject.celery.app worker --concurrency=8 --loglevel=info --max-tasks-per-child=1000',
        works: [/concurrency: 8 \(prefork\)/, /INFO.*celery@\S+ ready\./],
      },
      beat: { command: 'celery -A myproject.celery.app beat --loglevel=info', works: [/INFO.*beat: Starting/] },
    },
  },
  environment_variables: {
    processes: {
      web: { command: 'gunicorn --bind=0.0.0.0:8000 --workers=4 --timeout=60 myproject.wsgi:application' },
    },
  },
  queues: {
    processes: {
      web: { command: 'gunicorn --bind=0.0.0.0:8000 myproject.wsgi:application' },
      default_worker: {
        command: 'celery -A myproject.celery.app worker --queues=default --concurrency=4',
        works: [
          /concurrency: 4 \(prefork\)/,
          /\[queues\]\s+\.> default +exchange=.*\s+\[tasks\]/,
          /celery@\S+ ready\./,
        ],
      },
      priority_worker: {
        command: 'celery -A myproject.celery.app worker --queues=priority --concurrency=2',
        works: [
          /concurrency: 2 \(prefork\)/,
          /\[queues\]\s+\.> priority +exchange=.*\s+\[tasks\]/,
          /celery@\S+ ready\./,
        ],
      },
    },
  },
  ports: {
    processes: {
      web_8000: { command: 'gunicorn --bind=0.0.0.0:8000 myproject.wsgi:application' },
      web_8001: { command: 'gunicorn --bind=0.0.0.0:8001 myproject.wsgi:application' },
    },
  },
  mixed_backends: {
    processes: {
      web: { command: 'gunicorn --bind=0.0.0.0:8000 myproject.wsgi:application' },
      websocket: { command: 'uvicorn --host=0.0.0.0 --port=8001 myproject.asgi:application' },
      worker: {
        command: 'celery -A myproject.celery.app worker --concurrency=4',
        works: [/concurrency: 4 \(prefork\)/, /celery@\S+ ready\./],
      },
    },
  },
}

/** The documented import paths, and what each runs. */
export const REFERENCE_BACKENDS: Readonly<Record<string, string>> = {
  'gunicorn.GunicornServer': 'gunicorn myproject.wsgi:application',
  'waitress.WaitressServer': 'waitress myproject.wsgi:application',
  'granian.GranianWSGIServer': 'granian --interface=wsgi myproject.wsgi:application',
  'granian.GranianASGIServer': 'granian --interface=asgi myproject.asgi:application',
  'uvicorn.UvicornServer': 'uvicorn myproject.asgi:application',
  'uvicorn.UvicornWSGIServer': 'uvicorn --interface=wsgi myproject.wsgi:application',
  'celery.CeleryWorker': 'celery -A myproject.celery.app worker',
  'celery.CeleryBeat': 'celery -A myproject.celery.app beat',
  'django_tasks.DjangoTasksWorker': 'django db_worker --no-reload',
  'django_q2.DjangoQ2Worker': 'django qcluster',
}

/** A stock project with a stock Celery application, and the configuration in its settings. */
export function createReferenceProject(t: TestContext, configuration: string): { root: string; settings: string } {
  // A configuration that imports the settings is a module beside them; the others are their last lines.
  const name = /from \.settings import/.test(configuration) ? 'production' : 'settings'
  const own = name === 'settings' ? `${SETTINGS}\n${configuration}` : SETTINGS
  const root = createProject(t, {
    files: {
      ...Object.fromEntries(
        ['__init__', 'settings', 'wsgi', 'asgi', 'urls'].map((file) => [`mysite/${file}.py`, null]),
      ),
      'manage.py': MANAGE,
      'myproject/__init__.py': 'from .celery import app as celery_app\n\n__all__ = ("celery_app",)\n',
      'myproject/settings.py': own,
      ...(name === 'settings' ? {} : { [`myproject/${name}.py`]: configuration }),
      'myproject/wsgi.py': application('wsgi'),
      'myproject/asgi.py': application('asgi'),
      'myproject/urls.py': URLS,
      'myproject/celery.py': CELERY,
    },
  })
  return { root, settings: `myproject.${name}` }
}

export const readReference = (name: string): string =>
  readFileSync(join(ROOT, 'test', 'fixtures', 'reference', `${name}.py`), 'utf8')

const MANAGE = `#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myproject.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
`

const SETTINGS = `
from importlib.util import find_spec
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
# Before django-tasks 0.12 its database backend was a part of itself.
DATABASE_TASKS = "django_tasks_db" if find_spec("django_tasks_db") else "django_tasks.backends.database"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_tasks", DATABASE_TASKS, "django_q"]
TASKS = {"default": {"BACKEND": DATABASE_TASKS + ".DatabaseBackend"}}
MIDDLEWARE = []
ROOT_URLCONF = "myproject.urls"
WSGI_APPLICATION = "myproject.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
USE_TZ = True
# Nothing outside the worker's own process.
CELERY_BROKER_URL = "memory://"
`

const application = (kind: 'wsgi' | 'asgi'): string => `
import os

from django.core.${kind} import get_${kind}_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myproject.settings")

application = get_${kind}_application()
`

const URLS = `
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("it works"))]
`

const CELERY = `
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myproject.settings")

app = Celery("myproject")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
`
