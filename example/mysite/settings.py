"""
Settings of the example. It needs Django and one server; Celery, django-tasks
and django-q2 join in when they are installed.

Read from the environment: SECRET_KEY, DEBUG, ALLOWED_HOSTS, PORT, ASYNC_PORT,
FRONTEND_PORT, DATA_DIR, DATABASE_URL, DATABASE_PATH, CELERY_BROKER_URL,
CELERY_RESULT_BACKEND, BEAT_SECONDS.
"""

import os
from pathlib import Path

from .databases import database
from .packages import HAS_DJANGO_TASKS, installed

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / "var")).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = os.environ.get("SECRET_KEY", "django-insecure-only-for-trying-the-example")
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = ["mysite"]
if installed("django_prodserver"):
    INSTALLED_APPS += ["django_prodserver"]
if HAS_DJANGO_TASKS:
    INSTALLED_APPS += ["django_tasks_db"]
    if not installed("django.tasks"):
        INSTALLED_APPS += ["django_tasks"]
if installed("django_q"):
    INSTALLED_APPS += ["django_q"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
ASGI_APPLICATION = "mysite.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
    }
]

# A file, so that the example needs no server: DATABASE_URL=postgres://… is the real thing.
DATABASES = {
    "default": database(
        os.environ.get("DATABASE_URL"),
        file=os.environ.get("DATABASE_PATH", DATA_DIR / "db.sqlite3"),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True

# With DEBUG off, Django only mails errors to ADMINS. A server's stderr is where
# people look first.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING"}},
}


# --- Queues -------------------------------------------------------------------

# Files as the broker, so that the example needs no Redis or RabbitMQ. Fine for
# trying, not for production: set redis:// or amqp:// there.
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "filesystem://")
CELERY_RESULT_BACKEND = os.environ.get("CELERY_RESULT_BACKEND", f"file://{DATA_DIR}/celery-results")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": DATA_DIR / "celery-queue",
        "data_folder_out": DATA_DIR / "celery-queue",
        "control_folder": DATA_DIR / "celery-control",
        # Kombu takes one message each time it looks, by default once a second.
        "polling_interval": 0.1,
    }

BEAT_SECONDS = float(os.environ.get("BEAT_SECONDS", "30"))
CELERY_BEAT_SCHEDULE = {
    "record": {
        "task": "mysite.tasks.record_in_celery",
        "schedule": BEAT_SECONDS,
        "args": [f"{DATA_DIR}/beat.txt", "beat"],
        # With no worker running, beats do not pile up to be run all at once later.
        "options": {"expires": BEAT_SECONDS},
    },
    "greet": {
        "task": "mysite.tasks.work_in_celery",
        "schedule": BEAT_SECONDS,
        "args": ["beat", "what the scheduler asked for"],
        "options": {"expires": BEAT_SECONDS},
    },
}

if installed("celery"):
    # Celery writes into these and does not make them.
    for folder in ["celery-queue", "celery-results"]:
        (DATA_DIR / folder).mkdir(exist_ok=True)

if HAS_DJANGO_TASKS:
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

Q_CLUSTER = {
    "name": "mysite",
    "orm": "default",
    "workers": 2,
    "timeout": 60,
    # Longer than the timeout, or a task that is still running is handed out twice.
    "retry": 90,
}


# --- What runs in production --------------------------------------------------

PORT = int(os.environ.get("PORT", "8000"))
ASYNC_PORT = int(os.environ.get("ASYNC_PORT", PORT + 1))
FRONTEND_PORT = int(os.environ.get("FRONTEND_PORT", "3000"))

WEB_SERVERS = {
    "gunicorn": {
        "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer",
        "ARGS": {"bind": f"127.0.0.1:{PORT}", "workers": 2},
    },
    "waitress": {
        "BACKEND": "django_prodserver.backends.waitress.WaitressServer",
        "ARGS": {"host": "127.0.0.1", "port": PORT},
    },
    "uvicorn": {
        "BACKEND": "django_prodserver.backends.uvicorn.UvicornServer",
        "ARGS": {"host": "127.0.0.1", "port": PORT},
    },
}
# The first that is installed serves the site.
WEB_SERVER = next(filter(installed, WEB_SERVERS), "gunicorn")

PRODUCTION_PROCESSES = {
    "web": WEB_SERVERS[WEB_SERVER],
    "web-async": {
        "BACKEND": "django_prodserver.backends.uvicorn.UvicornServer",
        "ARGS": {"host": "127.0.0.1", "port": ASYNC_PORT},
    },
    "worker": {
        "BACKEND": "django_prodserver.backends.celery.CeleryWorker",
        "APP": "mysite.celery.app",
        "ARGS": {"concurrency": 2, "loglevel": "info"},
    },
    "beat": {
        "BACKEND": "django_prodserver.backends.celery.CeleryBeat",
        "APP": "mysite.celery.app",
        "ARGS": {"loglevel": "info", "schedule": f"{DATA_DIR}/celerybeat-schedule"},
    },
    "tasks": {
        "BACKEND": "django_prodserver.backends.django_tasks.DjangoTasksWorker",
    },
    "queue": {
        "BACKEND": "django_prodserver.backends.django_q2.DjangoQ2Worker",
    },
    # Once for each release, and before everything else.
    "migrate": {
        "BACKEND": "prodserver.backends.django.DjangoCommand",
        "APP": "migrate --noinput",
        "RUN": "release",
    },
    # A frontend of its own, in Node, which asks Django for what it shows.
    "frontend": {
        "BACKEND": "prodserver.backends.node.NodeServer",
        "APP": "frontend/server.js",
        "ARGS": {"host": "127.0.0.1", "port": FRONTEND_PORT},
        "ENV": {"DJANGO_URL": f"http://127.0.0.1:{PORT}"},
        "READY": {"http": "/health"},
        "DEPENDS_ON": ["web"],
    },
}

# A project of yours has all it declares. This one leaves out what it cannot run.
NOT_INSTALLED = {
    name: package
    for name, package, found in [
        ("web", WEB_SERVER, installed(WEB_SERVER)),
        ("web-async", "uvicorn", installed("uvicorn")),
        ("worker", "celery", installed("celery")),
        ("beat", "celery", installed("celery")),
        ("tasks", "django-tasks-db", HAS_DJANGO_TASKS),
        ("queue", "django-q2", installed("django_q")),
    ]
    if not found
}
for name in NOT_INSTALLED:
    del PRODUCTION_PROCESSES[name]
