import type { ProblemPage } from '../page.ts'

const WEB = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'

const unusualManage = (line: string): Readonly<Record<string, string>> => ({
  'manage.py': `import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps"))
${line}
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
`,
})

export const PROJECT_PAGES = {
  E001: {
    why: 'The project is the folder with `manage.py`: here, upwards, or the only one a folder down. Everything that is relative is relative to it.',
    bad: { files: { 'manage.py': null }, command: 'prodserver check' },
    good: 'cd /srv/mysite && prodserver check        # or: prodserver check --project /srv/mysite',
  },
  E002: {
    why: 'Below this folder are several projects. Whichever was taken could be the wrong one, and would be started.',
    bad: { files: { 'manage.py': null, 'shop/manage.py': '', 'blog/manage.py': '' } },
    good: 'prodserver check --project shop',
  },
  E003: {
    why: 'Nothing says which settings are meant: neither `--settings`, nor `DJANGO_SETTINGS_MODULE`, nor `manage.py`.',
    bad: { settings: WEB, files: { 'manage.py': 'from django.core.management import execute_from_command_line\n' } },
    good: { settings: WEB },
  },
  E004: {
    why: 'The servers run in the interpreter of the project, and so does everything that is asked of it. Another interpreter has other packages.',
    bad: { settings: WEB, command: 'prodserver check --python /srv/old/.venv/bin/python' },
    good: { settings: WEB },
  },
  E005: {
    why: 'The interpreter that was found has no Django: usually it is that of the system, and not that of the project.',
    bad: { settings: WEB, command: 'prodserver check --python /usr/bin/python3' },
    good: 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt',
    needs: 'an interpreter without Django',
    seen: `E005  /usr/bin/python3
      Django is not installed in /usr/bin/python3 (chosen by --python).
      → /usr/bin/python3 -m pip install django`,
  },
  E006: {
    why: 'A settings module is named that does not exist, or cannot be imported from the folder with `manage.py`.',
    bad: { settings: WEB, command: 'prodserver check --settings mysite.production' },
    good: {
      settings: WEB,
      files: { 'mysite/production.py': 'from .settings import *\n' },
      command: 'prodserver check --settings mysite.production',
    },
  },
  E007: {
    why: 'The settings raise an exception, for the server as well. The lines of your own that led there are shown.',
    bad: { settings: `import os\n\nSHOP_KEY = os.environ["SHOP_KEY"]\n${WEB}` },
    good: {
      settings: `import os\n\nSHOP_KEY = os.environ["SHOP_KEY"]\n${WEB}`,
      command: 'SHOP_KEY=hunter2 prodserver check',
    },
  },
  E008: {
    why: 'The settings import a module that the interpreter does not have: a package is missing, or it is the wrong interpreter.',
    bad: { settings: `import environ\n\n${WEB}` },
    good: 'pip install django-environ',
  },
  E009: {
    why: 'Nobody can be told what they say, and no server would start.',
    bad: {
      settings: `import os\nimport sys\n\nif "SHOP_KEY" not in os.environ:\n    sys.exit("SHOP_KEY is not set")\n${WEB}`,
    },
    good: {
      settings: `import os\n\nfrom django.core.exceptions import ImproperlyConfigured\n\nif "SHOP_KEY" not in os.environ:\n    raise ImproperlyConfigured("SHOP_KEY is not set")\n${WEB}`,
      command: 'SHOP_KEY=hunter2 prodserver check',
    },
  },
  E010: {
    why: 'The settings wait for something: a network, a lock, an answer on the terminal. Every worker of every server would wait as well. Where they stand is shown.',
    bad: {
      settings: `import time\n\ntime.sleep(600)\n${WEB}`,
      command: 'PRODSERVER_SETTINGS_TIMEOUT=0.5 prodserver check',
    },
    good: { settings: WEB },
  },
  E011: {
    why: 'The interpreter ended without an answer: a library crashed it, or somebody killed it, such as the system where memory is short.',
    bad: { settings: 'import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGKILL)' },
    good: { settings: WEB },
  },
  E012: {
    why: 'A `manage.py` that does more than Django writes into it is run up to where it calls Django. It did not get there.',
    bad: { settings: WEB, files: unusualManage('raise KeyError("SHOP_STAGE")') },
    good: { settings: WEB, files: unusualManage('os.environ.setdefault("SHOP_STAGE", "production")') },
  },
  E018: {
    why: 'Revisions are compared as git has them; nothing is checked out, and nothing is changed.',
    bad: { settings: WEB, command: 'prodserver diff v1.2 .' },
    good: 'git init && git add -A && git commit -m "As it runs"',
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
