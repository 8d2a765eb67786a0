from __future__ import annotations

from django_prodserver.backends.base import BaseServerBackend, become
from django_prodserver.utils import asgi_app_name, wsgi_app_name


class GranianASGIServer(BaseServerBackend):
    def start_server(self, *args: object) -> None:
        become("granian", "--interface=asgi", *args, asgi_app_name())


class GranianWSGIServer(BaseServerBackend):
    def start_server(self, *args: object) -> None:
        become("granian", "--interface=wsgi", *args, wsgi_app_name())
