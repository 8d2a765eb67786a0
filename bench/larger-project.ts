/** Generates a Django project of a common size: thirty apps with models, an admin, URLs and settings of their own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const APPS = `
  accounts addresses analytics articles billing bookings calendars carts catalogue comments
  contacts coupons delivery documents events exports feedback galleries imports inventory
  invoices mailings notifications orders payments profiles reports reviews search support
`
  .trim()
  .split(/\s+/)
const MODELS = ['Record', 'Category', 'Entry', 'Change', 'Preference']

/** Writes the project into a folder. It listens on `PORT`, and answers `/health/` without a database. */
export function writeLargerProject(root: string): void {
  const files = { ...project(), ...Object.fromEntries(APPS.flatMap((app) => Object.entries(application(app)))) }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

function application(app: string): Record<string, string> {
  return {
    [`${app}/__init__.py`]: '',
    [`${app}/apps.py`]: `from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ${capital(app)}Config(AppConfig):
    name = "${app}"
    verbose_name = _("${app}")
    default_auto_field = "django.db.models.BigAutoField"
`,
    [`${app}/conf.py`]: `import os
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

PAGE_SIZE = int(os.environ.get("${app.toUpperCase()}_PAGE_SIZE", "50"))
KEEP_FOR = timedelta(days=90)
RATE = Decimal("0.19")
STATES = [("new", _("new")), ("open", _("open")), ("closed", _("closed"))]
SETTINGS = {"page_size": PAGE_SIZE, "keep_for": KEEP_FOR, "rate": RATE, "states": STATES}
`,
    [`${app}/models.py`]: `from django.db import models

from . import conf

${MODELS.map((model) => modelClass(app, model)).join('\n')}`,
    [`${app}/admin.py`]: `from django.contrib import admin

from . import models

${MODELS.map((model) => adminClass(app, model)).join('\n')}`,
    [`${app}/views.py`]: `from django.views.generic import DetailView, ListView

from . import conf, models

${MODELS.map((model) => viewClasses(app, model)).join('\n')}`,
    [`${app}/urls.py`]: `from django.urls import path

from . import views

app_name = "${app}"
urlpatterns = [
${MODELS.map((model) => urls(app, model)).join('')}]
`,
  }
}

const modelClass = (app: string, model: string): string => `
class ${capital(app)}${model}(models.Model):
    name = models.CharField(max_length=200, db_index=True)
    slug = models.SlugField(unique=True)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=conf.STATES, default="new")
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    created = models.DateTimeField(auto_now_add=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "${model} of ${app}"

    def __str__(self):
        return self.name
`

const adminClass = (app: string, model: string): string => `
@admin.register(models.${capital(app)}${model})
class ${capital(app)}${model}Admin(admin.ModelAdmin):
    list_display = ["name", "state", "amount", "created"]
    list_filter = ["state"]
    search_fields = ["name", "text"]
    prepopulated_fields = {"slug": ["name"]}
`

const viewClasses = (app: string, model: string): string => `
class ${model}List(ListView):
    model = models.${capital(app)}${model}
    paginate_by = conf.PAGE_SIZE


class ${model}Detail(DetailView):
    model = models.${capital(app)}${model}
`

const urls = (
  app: string,
  model: string,
): string => `    path("${model.toLowerCase()}/", views.${model}List.as_view(), name="${app}-${model.toLowerCase()}-list"),
    path("${model.toLowerCase()}/<slug:slug>/", views.${model}Detail.as_view(), name="${app}-${model.toLowerCase()}"),
`

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const CONTRIB = ['admin', 'auth', 'contenttypes', 'sessions', 'messages', 'staticfiles']

const project = (): Record<string, string> => ({
  'manage.py': MANAGE,
  'shop/__init__.py': '',
  'shop/settings.py': `${settingsStart()}${SETTINGS_END}`,
  'shop/wsgi.py': entryPoint('wsgi'),
  'shop/asgi.py': entryPoint('asgi'),
  'shop/urls.py': rootUrls(),
})

const MANAGE = `#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
`

const settingsStart = (): string => `import os
from pathlib import Path

from django.utils.translation import gettext_lazy as _

${APPS.map((app) => `from ${app}.conf import SETTINGS as ${app.toUpperCase()}`).join('\n')}

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-measuring"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
LANGUAGES = [("en", _("English")), ("de", _("German"))]

INSTALLED_APPS = [
${CONTRIB.map((name) => `    "django.contrib.${name}",\n`).join('')}${APPS.map((app) => `    "${app}",\n`).join('')}]
try:
    import django_prodserver
except ImportError:
    pass
else:
    INSTALLED_APPS.append("django_prodserver")

`

const SETTINGS_END = `MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
ASGI_APPLICATION = "shop.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
STATIC_URL = "static/"
USE_TZ = True

PORT = os.environ.get("PORT", "8000")
PRODUCTION_PROCESSES = {
    "gunicorn": {
        "BACKEND": "django_prodserver.backends.gunicorn.GunicornServer",
        "ARGS": {"bind": f"127.0.0.1:{PORT}", "workers": "2"},
    },
    "uvicorn": {
        "BACKEND": "django_prodserver.backends.uvicorn.UvicornServer",
        "ARGS": {"host": "127.0.0.1", "port": PORT},
    },
    "waitress": {
        "BACKEND": "django_prodserver.backends.waitress.WaitressServer",
        "ARGS": {"host": "127.0.0.1", "port": PORT},
    },
}
`

const entryPoint = (kind: 'wsgi' | 'asgi'): string => `import os

from django.core.${kind} import get_${kind}_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_${kind}_application()
`

const rootUrls = (): string => `from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("health/", lambda request: HttpResponse("ok")),
    path("admin/", admin.site.urls),
${APPS.map((app) => `    path("${app}/", include("${app}.urls")),\n`).join('')}]
`
