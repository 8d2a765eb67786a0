from __future__ import annotations

from django_prodserver.backends.base import BaseServerBackend, become
from django_prodserver.utils import asgi_app_name, wsgi_app_name


class UvicornServer(BaseServerBackend):
    def prep_server_args(self) -> list[str]:
        return [asgi_app_name(), *self.args]

    def start_server(self, *args: object) -> None:
        become("uvicorn", *args)


class UvicornWSGIServer(UvicornServer):
    def prep_server_args(self) -> list[str]:
        return [wsgi_app_name(), "--interface=wsgi", *self.args]
