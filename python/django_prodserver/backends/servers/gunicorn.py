from __future__ import annotations

from django_prodserver.backends.base import BaseServerBackend, become
from django_prodserver.utils import wsgi_app_name


class GunicornServer(BaseServerBackend):
    def start_server(self, *args: object) -> None:
        become("gunicorn", *args, wsgi_app_name())
