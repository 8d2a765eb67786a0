/** A Django project that is as small as can be. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @param processes - names, and their declarations as Python. */
export function writeProject(root: string, processes: Readonly<Record<string, string>>): void {
  const declared = Object.entries(processes).map(([name, declaration]) => `    "${name}": ${declaration},\n`)
  const files = {
    'manage.py': "import os\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n",
    'mysite/__init__.py': '',
    'mysite/settings.py': `SECRET_KEY = "of the bench"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
PRODUCTION_PROCESSES = {\n${declared.join('')}}\n`,
    'mysite/urls.py': `from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("ok", headers={"Content-Length": "2"}))]
`,
    'mysite/wsgi.py': `from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
`,
  }
  mkdirSync(join(root, 'mysite'), { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text)
}
