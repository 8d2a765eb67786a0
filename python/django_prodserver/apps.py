from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class ProdserverAppConfig(AppConfig):
    name = "django_prodserver"
    verbose_name = "production processes"

    def ready(self) -> None:
        from django_prodserver.checks import check_processes

        register(check_processes, "prodserver")
