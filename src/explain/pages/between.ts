import type { ProblemPage } from '../page.ts'

export const BETWEEN_PAGES = {
  E401: {
    why: 'The second one does not start, or answers every other request in the place of the first. `0.0.0.0` is every address, and a default that nobody wrote down is an address as well.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}},
    "api": {"BACKEND": "uvicorn-wsgi"},
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}},
    "api": {"BACKEND": "uvicorn-wsgi", "ARGS": {"port": 8001}},
}`,
    },
  },
  E402: {
    why: 'Each scheduler sends every job that is due: two of them, and every job runs twice.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app", "INSTANCES": 2},
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app"},
}`,
    },
  },
  E403: {
    why: 'Each takes the file for its own: one of them does not start, or ends the other, or overwrites what it noted.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "worker": {
        "BACKEND": "celery-worker",
        "APP": "mysite.celery.app",
        "INSTANCES": 2,
        "ARGS": {"pidfile": "worker.pid"},
    },
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app", "INSTANCES": 2},
}`,
    },
  },
  E404: {
    why: 'Ports end at 65535.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:80000"}}}' },
    good: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8000"}}}' },
  },
  W402: {
    why: 'Nobody can tell whose line it is, and whoever rotates the file tells only one of them.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8000", "error-logfile": "error.log"}},
    "api": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8001", "error-logfile": "error.log"}},
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8000", "error-logfile": "-"}},
    "api": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8001", "error-logfile": "-"}},
}`,
    },
  },
  W403: {
    why: 'What is under way is lost at every stop and every reload, though the program was told to wait for it.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"graceful-timeout": 120}}}' },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"graceful-timeout": 120}, "STOP": {"timeout": "125s"}},
}`,
    },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
