from django_prodserver.backends.base import BaseServerBackend, become
from django_prodserver.utils import asgi_app_name, wsgi_app_name


class UvicornServer(BaseServerBackend):
    def prep_server_args(self):
        return [asgi_app_name(), *self.args]

    def start_server(self, *args):
        become("uvicorn", *args)


class UvicornWSGIServer(UvicornServer):
    def prep_server_args(self):
        return [wsgi_app_name(), "--interface=wsgi", *self.args]
