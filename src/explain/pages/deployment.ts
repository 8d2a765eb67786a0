import type { ProblemPage } from '../page.ts'

const DEPLOY = 'prodserver check --deploy'
const WORKER = 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"}}'
const celery = (lines: string): Readonly<Record<string, string>> => ({
  'mysite/celery.py': `from celery import Celery\n\napp = Celery("mysite", broker="memory://")\n${lines}`,
})
const sqlite = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}'

export const DEPLOYMENT_PAGES = {
  E701: {
    why: 'Errors show settings and code to whoever meets one, and every query is kept in memory.',
    bad: { settings: 'DEBUG = True', command: DEPLOY },
    good: { settings: 'DEBUG = False', command: DEPLOY },
  },
  E702: {
    why: 'Django answers every request with 400, and says nothing else.',
    bad: { settings: 'ALLOWED_HOSTS = []', command: DEPLOY },
    good: { settings: 'ALLOWED_HOSTS = ["shop.example.com"]', command: DEPLOY },
  },
  E703: {
    why: 'Servers start without a database, and answer with 500.',
    bad: {
      settings: 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "shop.sqlite3"}}',
      command: DEPLOY,
    },
    good: { settings: sqlite, command: DEPLOY },
  },
  E704: {
    why: 'Workers wait for it, and whoever sends a task waits as well, in the middle of a request.',
    bad: {
      settings: WORKER,
      files: {
        'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite", broker="redis://127.0.0.1:1/0")\n',
      },
      command: DEPLOY,
    },
    good: { settings: WORKER, files: celery(''), command: DEPLOY },
  },
  E705: {
    why: 'The new code asks for columns that are not there.',
    bad: { settings: `INSTALLED_APPS = ["django.contrib.contenttypes"]\n${sqlite}`, command: DEPLOY },
    good: {
      settings: `INSTALLED_APPS = ["django.contrib.contenttypes"]
${sqlite}
PRODUCTION_PROCESSES["migrate"] = {"BACKEND": "django-command", "APP": "migrate --noinput", "RUN": "release"}`,
      command: DEPLOY,
    },
  },
  E706: {
    why: "Django itself says so: these are the errors of `manage.py check --deploy`. Silence them by Django's own id.",
    bad: { settings: 'LANGUAGE_CODE = "tlh"', command: DEPLOY },
    good: { settings: 'LANGUAGE_CODE = "de"', command: DEPLOY },
  },
  W701: {
    why: 'The project raised while it was looked at, so the rest of `--deploy` is not known.',
    bad: {
      settings: 'INSTALLED_APPS = ["mysite.checks"]',
      files: {
        'mysite/checks/__init__.py': '',
        'mysite/checks/apps.py': `from django.apps import AppConfig
from django.core.checks import register


class ChecksConfig(AppConfig):
    name = "mysite.checks"

    def ready(self):
        register(look)


def look(app_configs, **kwargs):
    raise RuntimeError("not finished")
`,
      },
      command: DEPLOY,
    },
    good: { command: DEPLOY },
  },
  W702: {
    why: 'SQLite has one writer at a time. The others wait five seconds, and then fail with `database is locked`.',
    bad: { settings: `${sqlite}\nPRODUCTION_PROCESSES["web"]["INSTANCES"] = 2`, command: DEPLOY },
    good: { settings: sqlite, command: DEPLOY },
  },
  W703: {
    why: 'With `DEBUG` off nobody serves static files from their apps: pages come without styles.',
    bad: { settings: 'INSTALLED_APPS = ["django.contrib.staticfiles"]\nSTATIC_URL = "static/"', command: DEPLOY },
    good: {
      settings: `INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static"
PRODUCTION_PROCESSES["static"] = {
    "BACKEND": "django-command",
    "APP": "collectstatic --noinput",
    "RUN": "release",
}`,
      command: DEPLOY,
    },
  },
  W704: {
    why: "Django itself says so: these are the warnings of `manage.py check --deploy`. Silence them by Django's own id.",
    bad: { settings: 'SECURE_SSL_REDIRECT = False', command: DEPLOY },
    good: { settings: 'SECURE_SSL_REDIRECT = True', command: DEPLOY },
  },
  W705: {
    why: 'It watches every file, and ends what is being answered when one of them changes.',
    bad: { settings: 'PRODUCTION_PROCESSES["web"]["ARGS"] = {"reload": True}', command: DEPLOY },
    good: { settings: 'PRODUCTION_PROCESSES["web"]["ARGS"] = {"workers": 2}', command: DEPLOY },
  },
  W706: {
    why: 'Whoever can read the code, or any version of it, has the secret.',
    bad: { settings: 'PRODUCTION_PROCESSES["web"]["ENV"] = {"API_TOKEN": "8f2c91d0"}', command: DEPLOY },
    good: {
      settings: 'import os\n\nPRODUCTION_PROCESSES["web"]["ENV"] = {"API_TOKEN": os.environ.get("API_TOKEN", "")}',
      command: DEPLOY,
    },
  },
  W707: {
    why: 'A schedule does nothing by itself: a beat sends its jobs when they are due.',
    bad: {
      settings: WORKER,
      files: celery('app.conf.beat_schedule = {"report": {"task": "report", "schedule": 60}}\n'),
      command: DEPLOY,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"},
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app"},
}`,
      files: celery('app.conf.beat_schedule = {"report": {"task": "report", "schedule": 60}}\n'),
      command: DEPLOY,
    },
  },
  W708: {
    why: 'Its tasks wait in the broker for ever, and nobody is told.',
    bad: {
      settings: WORKER.replace('app"}', 'app", "ARGS": {"queues": "default"}}'),
      files: celery('app.conf.task_routes = {"mail.*": {"queue": "mail"}}\n'),
      command: DEPLOY,
    },
    good: {
      settings: WORKER.replace('app"}', 'app", "ARGS": {"queues": ["default", "mail"]}}'),
      files: celery('app.conf.task_routes = {"mail.*": {"queue": "mail"}}\n'),
      command: DEPLOY,
    },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
