import type { ProblemPage } from '../page.ts'

const WEB = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'
const WORKER = 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"}}'

export const BACKEND_PAGES = {
  E201: {
    why: 'Only `BACKEND` must be there: it says what runs.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"ARGS": {"workers": 4}}}' },
    good: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"workers": 4}}}' },
  },
  E202: {
    why: 'There is no backend of that name, and no class or module that could be imported by it.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicron"}}' },
    good: { settings: WEB },
  },
  E203: {
    why: 'The package of the server is not in the interpreter that would run it.',
    bad: { settings: WEB, command: 'prodserver check --python .venv/bin/python' },
    good: '.venv/bin/python -m pip install gunicorn',
    needs: 'an interpreter without gunicorn',
    seen: `E203  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn is not installed in /srv/mysite/.venv/bin/python (chosen by .venv), so "web" cannot start.
      → /srv/mysite/.venv/bin/python -m pip install gunicorn`,
  },
  E204: {
    why: 'The worker is a command of a Django app, which Django does not know without it.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"tasks": {"BACKEND": "django-q2"}}' },
    good: { settings: 'INSTALLED_APPS += ["django_q"]\nPRODUCTION_PROCESSES = {"tasks": {"BACKEND": "django-q2"}}' },
  },
  E205: {
    why: 'Celery starts without its application as well, with an empty one that has no task and another broker.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker"}}' },
    good: { settings: WORKER },
  },
  E206: {
    why: 'Every worker process would end at once, and be started again and again.',
    bad: { settings: WORKER.replace('celery.app', 'clery.app') },
    good: { settings: WORKER },
  },
  E207: {
    why: 'Django sets neither by itself: what is to be served is named by `WSGI_APPLICATION` or `ASGI_APPLICATION`, or lies beside the settings.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "uvicorn"}}', files: { 'mysite/asgi.py': null } },
    good: {
      settings: 'ASGI_APPLICATION = "mysite.asgi.application"\nPRODUCTION_PROCESSES = {"web": {"BACKEND": "uvicorn"}}',
    },
  },
  E208: {
    why: 'The module is there, and what it exports is no backend.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "./caddy.mjs"}}',
      files: { 'caddy.mjs': 'export default { name: "caddy" }\n' },
    },
    good: {
      settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "./caddy.mjs"}}',
      files: {
        'caddy.mjs': `export default {
  name: "caddy",
  title: "Caddy",
  summary: "A web server.",
  kind: "web",
  command: () => ({ program: "sleep", args: ["infinity"] }),
}
`,
      },
    },
  },
  E209: {
    why: 'A class of your own is asked what it starts. It raised, or has not what is asked.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "mysite.servers.Caddy"}}',
      files: { 'mysite/servers.py': 'class Caddy:\n    pass\n' },
    },
    good: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "mysite.servers.Caddy"}}',
      files: {
        'mysite/servers.py': `import subprocess


class Caddy:
    def __init__(self, **declaration):
        self.args = declaration.get("ARGS", {})

    def prep_server_args(self):
        return ["run"]

    def start_server(self, *args):
        subprocess.run(["caddy", *args], check=True)
`,
      },
    },
  },
  E210: {
    why: "Django's own commands and classes of your own need `django.setup()`, and so does every server a moment later.",
    bad: {
      settings: `INSTALLED_APPS += ["django_q", "mysite.broken"]
PRODUCTION_PROCESSES = {"tasks": {"BACKEND": "django-q2", "ARGS": {"verbosity": 1}}}`,
      files: { 'mysite/broken/__init__.py': 'raise RuntimeError("not finished")\n' },
    },
    good: {
      settings: `INSTALLED_APPS += ["django_q"]
PRODUCTION_PROCESSES = {"tasks": {"BACKEND": "django-q2", "ARGS": {"verbosity": 1}}}`,
    },
  },
  E211: {
    why: 'What a backend is may grow. One that is written for another version of that contract could be read wrongly.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "./caddy.mjs"}}',
      files: { 'caddy.mjs': 'export default { contract: 2, name: "caddy" }\n' },
    },
    good: {
      settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "./caddy.mjs"}}',
      files: {
        'caddy.mjs': `export default {
  contract: 1,
  name: "caddy",
  title: "Caddy",
  summary: "A web server.",
  kind: "web",
  command: () => ({ program: "sleep", args: ["infinity"] }),
}
`,
      },
    },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
