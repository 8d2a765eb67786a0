from __future__ import annotations

from django_prodserver.backends.base import BaseServerBackend, become
from django_prodserver.utils import wsgi_app_name


class WaitressServer(BaseServerBackend):
    def prep_server_args(self) -> list[str]:
        # The first is a program name, as in sys.argv.
        return ["waitress", *self.args, wsgi_app_name()]

    def start_server(self, *args: object) -> None:
        become(*args)
