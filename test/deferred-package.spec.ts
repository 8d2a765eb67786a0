import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plan } from '../src/index.ts'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

// Settings are read without importing Celery only where they cannot tell the difference. Each of these files says what
// it saw, so a difference would show.

const DOCUMENTED_PACKAGE = 'from .celery import app as celery_app\n\n__all__ = ("celery_app",)\n'
const DOCUMENTED_APPLICATION = `"""The Celery application."""
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

app = Celery("mysite", broker=os.getenv("BROKER_URL"))
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {"tick": {"task": "mysite.celery.debug_task", "schedule": 30.0}}
app.autodiscover_tasks()


@app.task(bind=True, ignore_result=True)
def debug_task(self):
    print(f"Request: {self.request!r}")
`
const SETTINGS = `
import os, sys
SEEN = "celery" in sys.modules
PRODUCTION_PROCESSES = {"p": {"BACKEND": "command", "APP": "true", "ENV": {"SEEN": str(SEEN), "FOUND": os.environ.get("FOUND", "no")}}}
`

interface Case {
  readonly name: string
  readonly package?: string
  readonly application?: string
  readonly settings?: string
  readonly sees: { readonly SEEN: 'True' | 'False'; readonly FOUND?: string }
}

const cases: readonly Case[] = [
  { name: 'the documented form', sees: { SEEN: 'False' } },
  {
    name: 'an absolute import in a guard',
    package: 'try:\n    from mysite.celery import app as celery_app\nexcept ImportError:\n    pass\n',
    sees: { SEEN: 'False' },
  },
  {
    name: 'settings that use the package',
    settings: `${SETTINGS}\nfrom mysite import celery_app\nPRODUCTION_PROCESSES["p"]["ENV"]["FOUND"] = celery_app.main\n`,
    sees: { SEEN: 'False', FOUND: 'mysite' },
  },
  {
    name: 'a package that does more',
    package: `import os\nos.environ["FOUND"] = "yes"\n${DOCUMENTED_PACKAGE}`,
    sees: { SEEN: 'True', FOUND: 'yes' },
  },
  {
    name: 'a package with a condition',
    package: `import sys\nif sys.argv:\n    from .celery import app as celery_app\n`,
    sees: { SEEN: 'True' },
  },
  {
    name: 'an application that sets a variable',
    application: `${DOCUMENTED_APPLICATION}\nos.environ["FOUND"] = "yes"\n`,
    sees: { SEEN: 'True', FOUND: 'yes' },
  },
  {
    name: 'an application that sets another default',
    application: `${DOCUMENTED_APPLICATION}\nos.environ.setdefault("FOUND", "yes")\n`,
    sees: { SEEN: 'True', FOUND: 'yes' },
  },
  {
    name: 'an application that calls a function of its own',
    application: `${DOCUMENTED_APPLICATION}\ndef load():\n    os.environ["FOUND"] = "yes"\n\nload()\n`,
    sees: { SEEN: 'True', FOUND: 'yes' },
  },
  {
    name: 'an application that imports something else',
    application: `import platform\n${DOCUMENTED_APPLICATION}`,
    sees: { SEEN: 'True' },
  },
  {
    name: 'an application that runs something while it makes a value',
    application: `${DOCUMENTED_APPLICATION}\napp.conf.x = [os.environ.update(FOUND="yes")]\n`,
    sees: { SEEN: 'True', FOUND: 'yes' },
  },
]

for (const { name, package: init, application, settings, sees } of cases) {
  test(`${name} is ${sees.SEEN === 'True' ? 'imported as it stands' : 'read without importing Celery'}`, async (t) => {
    const cwd = createProject(t, {
      settings: settings ?? SETTINGS,
      files: {
        'mysite/__init__.py': init ?? DOCUMENTED_PACKAGE,
        'mysite/celery.py': application ?? DOCUMENTED_APPLICATION,
      },
    })
    const { stdout, stderr } = await prodserver(t, ['show', '--json'], { cwd })
    assert.equal(stderr, '')
    const [planned] = (JSON.parse(stdout) as Plan).processes
    const { SEEN, FOUND } = planned?.env ?? {}
    assert.deepEqual({ SEEN: SEEN?.value, FOUND: FOUND?.value }, { FOUND: 'no', ...sees })
  })
}
