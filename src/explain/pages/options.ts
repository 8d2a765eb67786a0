import type { ProblemPage } from '../page.ts'

const gunicorn = (args: string): string => `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": ${args}}}`
const uvicorn = (args: string): string =>
  `ASGI_APPLICATION = "mysite.asgi.application"\nPRODUCTION_PROCESSES = {"web": {"BACKEND": "uvicorn", "ARGS": ${args}}}`

export const OPTION_PAGES = {
  E301: {
    why: "A dictionary within `ARGS` has no form on a command line, and Python's own form of it would be passed on.",
    bad: { settings: gunicorn('{"bind": {"host": "0.0.0.0", "port": 8000}}') },
    good: { settings: gunicorn('{"bind": "0.0.0.0:8000"}') },
  },
  E302: {
    why: 'A key becomes `--key` by itself.',
    bad: { settings: gunicorn('{"--workers": 4}') },
    good: { settings: gunicorn('{"workers": 4}') },
  },
  E303: {
    why: 'The server would refuse to start, with its usage, and be started again and again. It is asked in the version that is installed: an option may be new, or gone.',
    bad: { settings: gunicorn('{"wrokers": 4}') },
    good: { settings: gunicorn('{"workers": 4}') },
  },
  E304: {
    why: 'The parser of the installed program refuses the value: it is of another type, none of its choices, or a value for a switch.',
    bad: { settings: gunicorn('{"workers": "four", "preload": "maybe"}') },
    good: { settings: gunicorn('{"workers": 4, "preload": True}') },
  },
  E305: {
    why: 'The program takes the value, and fails when it imports what belongs to it.',
    bad: { settings: uvicorn('{"ws": "websockets"}') },
    good: 'pip install websockets',
  },
  E306: {
    why: 'A server without its certificate, or without its configuration, does not start. Files are those of this machine, so it is asked only with `--here`.',
    bad: { settings: gunicorn('{"certfile": "tls/cert.pem"}'), command: 'prodserver check --here' },
    good: {
      settings: gunicorn('{"certfile": "tls/cert.pem"}'),
      files: { 'tls/cert.pem': '' },
      command: 'prodserver check --here',
    },
  },
  E307: {
    why: 'Nobody makes the folder of a log, of a pid file or of a socket. Files are those of this machine, so it is asked only with `--here`.',
    bad: { settings: gunicorn('{"access-logfile": "logs/access.log"}'), command: 'prodserver check --here' },
    good: { settings: gunicorn('{"access-logfile": "-"}'), command: 'prodserver check --here' },
  },
  W301: {
    why: 'What the reference of the original names, and no version of the program has, is left out. The process runs, and not as it was meant.',
    bad: {
      settings: `INSTALLED_APPS += ["django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
PRODUCTION_PROCESSES = {"tasks": {"BACKEND": "django-tasks", "ARGS": {"processes": 4}}}`,
    },
    good: {
      settings: `INSTALLED_APPS += ["django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
PRODUCTION_PROCESSES = {"tasks": {"BACKEND": "django-tasks", "INSTANCES": 4}}`,
    },
  },
  W302: {
    why: 'The program refuses the option in this use. The one that does what is meant takes its place.',
    bad: {
      settings:
        'ASGI_APPLICATION = "mysite.asgi.application"\nPRODUCTION_PROCESSES = {"web": {"BACKEND": "granian-asgi", "ARGS": {"blocking-threads": 2}}}',
    },
    good: {
      settings:
        'ASGI_APPLICATION = "mysite.asgi.application"\nPRODUCTION_PROCESSES = {"web": {"BACKEND": "granian-asgi", "ARGS": {"runtime-threads": 2}}}',
    },
  },
  W303: {
    why: 'Nothing is guessed: where the program cannot be asked, its options are not checked, and this says so.',
    bad: {
      settings: gunicorn('{"workers": 4}'),
      files: { 'gunicorn/__init__.py': '', 'gunicorn/config.py': 'raise RuntimeError("half installed")\n' },
    },
    good: { settings: gunicorn('{"workers": 4}') },
  },
  W304: {
    why: 'The last one wins, whichever was meant.',
    bad: { settings: gunicorn('{"workers": 2, "w": 4}') },
    good: { settings: gunicorn('{"workers": 4}') },
  },
  W305: {
    why: 'It starts only with that one, which is not started by `up`.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "cache": {"BACKEND": "command", "APP": "sleep infinity", "ENABLED": False},
    "web": {"BACKEND": "gunicorn", "DEPENDS_ON": "cache"},
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "cache": {"BACKEND": "command", "APP": "sleep infinity"},
    "web": {"BACKEND": "gunicorn", "DEPENDS_ON": "cache"},
}`,
    },
  },
  W306: {
    why: 'Older versions may do: nobody has tried. What a reload or a stop rests on is tested from this version on.',
    bad: {
      settings: gunicorn('{"workers": 4}'),
      files: { 'gunicorn-20.1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: gunicorn\nVersion: 20.1.0\n' },
    },
    good: 'pip install -U gunicorn',
  },
  W307: {
    why: 'A later version refuses it, and the server does not start after an update. The words are those of the installed program.',
    bad: { settings: gunicorn('{"strip-header-spaces": True}') },
    good: { settings: gunicorn('{"workers": 4}') },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
