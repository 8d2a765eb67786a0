import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BACKENDS } from '../src/backends/index.ts'
import type { Problem } from '../src/core/errors.ts'
import { OLDER_PYTHON, PYTHON, ROOT } from './support/environment.ts'
import { createReferenceProject, readReference, REFERENCE } from './support/reference.ts'
import { prodserver } from './support/running.ts'

/** What is right must be right with every supported version: with the newest, and with the oldest. */
const VERSIONS = { newest: PYTHON, oldest: OLDER_PYTHON }

/** A process for each backend of the original, with every key that is documented for it, and a documented value. */
const DOCUMENTED = `
PRODUCTION_PROCESSES = {
    "gunicorn": {
        "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer",
        "ARGS": {
            "bind": "0.0.0.0:8000",
            "workers": "4",
            "worker-class": "sync",
            "timeout": "30",
            "keepalive": "2",
            "max-requests": "1000",
            "max-requests-jitter": "100",
            "worker-connections": "1000",
            "user": "root",
            "access-logfile": "/var/log/app/access.log",
            "error-logfile": "/var/log/app/error.log",
            "loglevel": "info",
        },
    },
    "gunicorn-settings": {
        "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer",
        "ARGS": {"bind": "unix:/run/app.sock", "worker-class": "gevent", "accesslog": "-", "errorlog": "-"},
    },
    "gunicorn-asgi": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": "0.0.0.0:8009", "workers": 2, "worker-class": "uvicorn.workers.UvicornWorker"},
    },
    "waitress": {
        "BACKEND": "django_prodserver.backends.waitress.WaitressServer",
        "ARGS": {
            "host": "0.0.0.0",
            "port": "8001",
            "threads": "4",
            "channel-timeout": "120",
            "connection-limit": "100",
            "backlog": "1024",
            "expose-tracebacks": "False",
        },
    },
    "waitress-socket": {
        "BACKEND": "django_prodserver.backends.waitress.WaitressServer",
        "ARGS": {"unix-socket": "/run/waitress.sock", "threads": "4"},
    },
    "uvicorn": {
        "BACKEND": "django_prodserver.backends.uvicorn.UvicornServer",
        "ARGS": {
            "host": "0.0.0.0",
            "port": "8002",
            "workers": "4",
            "log-level": "info",
            "loop": "uvloop",
            "no-access-log": "True",
            "proxy-headers": "True",
            "forwarded-allow-ips": "*",
            "timeout-keep-alive": "5",
            "limit-concurrency": "1000",
            "limit-max-requests": "1000",
        },
    },
    "uvicorn-wsgi": {
        "BACKEND": "django_prodserver.backends.uvicorn.UvicornWSGIServer",
        "ARGS": {"host": "0.0.0.0", "port": "8003", "workers": "4"},
    },
    "granian-asgi": {
        "BACKEND": "django_prodserver.backends.granian.GranianASGIServer",
        "ARGS": {
            "address": "0.0.0.0",
            "port": "8004",
            "workers": "4",
            "threads": "2",
            "backlog": "1024",
            "http": "auto",
            "log-level": "info",
            "log-access": "False",
            "blocking-threads": "1",
        },
    },
    "granian-wsgi": {
        "BACKEND": "django_prodserver.backends.granian.GranianWSGIServer",
        "ARGS": {"address": "0.0.0.0", "port": "8005", "workers": "4", "blocking-threads": "2", "http": "1"},
    },
    "granian-tls": {
        "BACKEND": "django_prodserver.backends.granian.GranianWSGIServer",
        "ARGS": {"port": "8443", "ssl-cert": Path(__file__), "ssl-key": Path(__file__)},
    },
    "hypercorn": {
        "BACKEND": "hypercorn",
        "ARGS": {"bind": ["0.0.0.0:8006", "[::]:8007"], "workers": 2, "graceful-timeout": 30, "keep-alive": 5},
    },
    "daphne": {
        "BACKEND": "daphne",
        "ARGS": {"bind": "0.0.0.0", "port": 8008, "proxy-headers": True, "access-log": "-", "websocket_timeout": 3600},
    },
    "worker": {
        "BACKEND": "django_prodserver.backends.celery.CeleryWorker",
        "APP": "myproject.celery.app",
        "ARGS": {
            "concurrency": "4",
            "loglevel": "info",
            "pool": "prefork",
            "queues": "default,high,low",
            "max-tasks-per-child": "1000",
            "max-memory-per-child": "200000",
            "time-limit": "300",
            "soft-time-limit": "270",
        },
    },
    "gevent-worker": {
        "BACKEND": "django_prodserver.backends.celery.CeleryWorker",
        "APP": "myproject.celery.app",
        "ARGS": {"pool": "gevent", "concurrency": "100"},
    },
    "flower": {
        "BACKEND": "flower",
        "APP": "myproject.celery.app",
        "ARGS": {"address": "127.0.0.1", "basic_auth": "user:password", "persistent": "True", "url_prefix": "flower"},
    },
    "beat": {
        "BACKEND": "django_prodserver.backends.celery.CeleryBeat",
        "APP": "myproject.celery.app",
        "ARGS": {"loglevel": "info", "scheduler": "celery.beat:PersistentScheduler"},
    },
    "tasks": {
        "BACKEND": "django_prodserver.backends.django_tasks.DjangoTasksWorker",
        "ARGS": {"queue": "default", "verbosity": "1"},
    },
    "q": {"BACKEND": "django_prodserver.backends.django_q2.DjangoQ2Worker", "ARGS": {"verbosity": "1"}},
}
`

/** A process for each worker that the original does not have. */
const WORKERS = `
INSTALLED_APPS += ["django_rq", "django_dramatiq", "huey.contrib.djhuey", "procrastinate.contrib.django", "channels"]
DRAMATIQ_BROKER = {"BROKER": "dramatiq.brokers.stub.StubBroker"}
RQ_QUEUES = {"default": {"URL": "redis://127.0.0.1:1"}, "high": {"URL": "redis://127.0.0.1:1"}}
PRODUCTION_PROCESSES = {
    "rq": {
        "BACKEND": "django-rq",
        "ARGS": {"queues": ["high", "default"], "with-scheduler": True, "worker-ttl": "420", "max_jobs": 1000},
    },
    "rq-cron": {"BACKEND": "django-rq-cron", "APP": "mysite/cron.py", "ARGS": {"logging-level": "INFO"}},
    "plain-rq": {
        "BACKEND": "rq",
        "ARGS": {"url": "redis://127.0.0.1:1", "queues": "high,default", "loglevel": "INFO", "P": ["a", "b"]},
    },
    "dramatiq": {
        "BACKEND": "django-dramatiq",
        "ARGS": {"processes": 2, "threads": "8", "queues": ["default", "mail"], "worker-shutdown-timeout": 60000},
    },
    "plain-dramatiq": {
        "BACKEND": "dramatiq",
        "APP": "myproject.broker myproject.tasks",
        "ARGS": {"p": 2, "Q": "default mail", "skip-logging": "True"},
    },
    "huey": {
        "BACKEND": "huey",
        "ARGS": {"workers": 4, "worker-type": "process", "max_delay": 5, "no-periodic": True, "verbose": True},
    },
    "procrastinate": {
        "BACKEND": "procrastinate",
        "ARGS": {"concurrency": 4, "queues": ["default", "mail"], "verbosity": 1, "listen-notify": False, "w": True},
    },
    "channels": {"BACKEND": "channels-worker", "ARGS": {"channels": ["thumbnails", "mail"], "layer": "default"}},
}
`

/** Said of what no version has, and nothing else. */
const IMPOSSIBLE = `
PRODUCTION_PROCESSES = {
    "granian": {
        "BACKEND": "django_prodserver.backends.granian.GranianASGIServer",
        "ARGS": {"port": "8000", "blocking-threads": "2"},
    },
    "tasks": {
        "BACKEND": "django_prodserver.backends.django_tasks.DjangoTasksWorker",
        "ARGS": {"processes": "2", "threads": "4"},
    },
}
`

for (const [age, python] of Object.entries(VERSIONS)) {
  const check = async (
    t: Parameters<typeof createReferenceProject>[0],
    configuration: string,
  ): Promise<readonly string[]> => {
    const { root, settings } = createReferenceProject(t, configuration)
    const args = ['check', '--json', '--settings', settings, '--python', python]
    const { stdout, stderr } = await prodserver(t, args, { cwd: root })
    assert.equal(stderr, '')
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Problem)
      .map(({ id, place, message }) => `${id} ${place}: ${message}`)
  }

  test(`everything that is documented for a backend is right with the ${age} versions`, async (t) => {
    assert.deepEqual(await check(t, DOCUMENTED), [])
  })

  test(`every worker is checked as it is with the ${age} versions, and nothing is wrong with what is right`, async (t) => {
    assert.deepEqual(await check(t, WORKERS), [])
  })

  test(`what is documented and does not exist is said once each with the ${age} versions`, async (t) => {
    assert.deepEqual(
      (await check(t, IMPOSSIBLE)).map((line) => line.split(':')[0]),
      [
        'W302 PRODUCTION_PROCESSES["granian"]["ARGS"]["blocking-threads"]',
        'W301 PRODUCTION_PROCESSES["tasks"]["ARGS"]["processes"]',
        'W301 PRODUCTION_PROCESSES["tasks"]["ARGS"]["threads"]',
      ],
    )
  })

  for (const name of Object.keys(REFERENCE)) {
    // With the newest ones they are started as well: test/reference.spec.ts.
    if (python !== PYTHON)
      test(`the documented configuration ${name} is right with the ${age} versions`, async (t) => {
        assert.deepEqual(await check(t, readReference(name)), [])
      })
  }
}

test('the oldest versions are those that the backends name', () => {
  const pinned = Object.fromEntries(
    readFileSync(join(ROOT, 'scripts', 'requirements-older.txt'), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [name = '', version] = line.split('==')
        return version === undefined || ['Django', 'gevent', 'uvloop', 'psycopg[binary]'].includes(name)
          ? []
          : [[name, version]]
      }),
  )
  const named = BACKENDS.flatMap(({ python }) =>
    python?.oldest === undefined ? [] : [[python.package.split(' ')[0], python.oldest]],
  )
  assert.deepEqual(pinned, Object.fromEntries(named))
})
