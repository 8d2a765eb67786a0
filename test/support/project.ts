import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

export interface ProjectFiles {
  /** Lines added at the end of `mysite/settings.py`. */
  readonly settings?: string
  /** More files, by path; null leaves one of the usual files out. */
  readonly files?: Readonly<Record<string, string | null>>
}

/** Makes a small Django project of the usual shape in a folder of its own, which goes with the test. */
export function createProject(t: TestContext, { settings = '', files = {} }: ProjectFiles = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'prodserver-test-'))
  t.after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  writeFiles(root, { ...STANDARD, 'mysite/settings.py': `${SETTINGS}\n${settings}\n`, ...files })
  return root
}

/** Writes files below a folder; null ones are left out. */
export function writeFiles(root: string, files: Readonly<Record<string, string | null>>): void {
  for (const [name, text] of Object.entries(files)) {
    if (text === null) continue
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const SETTINGS = `
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
MIDDLEWARE = []
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
USE_TZ = True
`

const application = (kind: 'wsgi' | 'asgi'): string => `
import os

from django.core.${kind} import get_${kind}_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

application = get_${kind}_application()
`

const STANDARD: Readonly<Record<string, string>> = {
  'manage.py': `#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as exc:
        raise ImportError("Couldn't import Django.") from exc
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
`,
  'mysite/__init__.py': '',
  'mysite/wsgi.py': application('wsgi'),
  'mysite/asgi.py': application('asgi'),
  'mysite/urls.py': `
import json
import os

from django.http import HttpResponse
from django.urls import path


def facts(request):
    names = request.GET.getlist("env")
    return HttpResponse(
        json.dumps({"pid": os.getpid(), "ppid": os.getppid(), "cwd": os.getcwd(), "env": {n: os.environ.get(n) for n in names}}),
        content_type="application/json",
    )


urlpatterns = [path("", facts)]
`,
}
