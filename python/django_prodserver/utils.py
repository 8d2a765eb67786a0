"""The project's applications as servers name them: ``mysite.wsgi:application``."""

from __future__ import annotations

from django.conf import settings


def wsgi_app_name() -> str:
    return _app_name("WSGI_APPLICATION", "wsgi")


def asgi_app_name() -> str:
    return _app_name("ASGI_APPLICATION", "asgi")


def _app_name(setting: str, module: str) -> str:
    # Django's project template sets only the first of them; both modules lie in the package of the settings.
    package = settings.SETTINGS_MODULE.split(".")[0]
    path = getattr(settings, setting, None) or f"{package}.{module}.application"
    return ":".join(path.rsplit(".", 1))
